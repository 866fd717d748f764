#!/bin/bash
# A kpatch utility of our own for the guest: Debian has none. It keeps to the documented interface of version 0.9:
# the words, the exit statuses, 5 attempts 2 s apart, 15 s and 60 s of patience (/etc/kpatch-patience: "15 60").
# KPATCH_PM_KPATCH=FILE on the host puts a real one in its place.
sys=/sys/kernel/livepatch
read -r first second < <(cat /etc/kpatch-patience 2>/dev/null || echo 15 60)

moving() { [ "$(cat "$sys/$1/transition" 2>/dev/null)" = 1 ]; }
patience() { # module seconds: waits for the end of a transition
	echo "waiting (up to $2 seconds) for patch transition to complete..."
	for ((n = 0; n < $2; n++)); do
		moving "$1" || { echo "transition complete ($n seconds)"; return 0; }
		sleep 1
	done
	return 1
}
settled() { # module
	moving "$1" || return 0
	patience "$1" "$first" && return 0
	echo 'patch transition has stalled!'
	echo 'kpatch: Livepatch process signaling is performed automatically on your system.' >&2
	patience "$1" "$second"
}
load() { # file
	[ -f "$1" ] || { echo "kpatch: can't find $1" >&2; exit 1; }
	name=$(basename "$1" .ko)
	name=${name//-/_}
	if [ "$(cat "$sys/$name/enabled" 2>/dev/null)" = 1 ]; then
		echo "module named $name already loaded and enabled"
		return
	fi
	rmmod "$name" 2>/dev/null
	echo "loading patch module: $1"
	for n in 1 2 3 4 5; do
		said=$(LC_ALL=C insmod "$1" 2>&1)
		[ -z "$said" ] && break
		echo "$said" >&2
		case $said in *'Device or resource busy'*) ;; *) n=5 ;; esac
		[ "$n" = 5 ] && { echo "kpatch: failed to load module $1" >&2; exit 1; }
		echo 'kpatch: retrying...' >&2
		sleep 2
	done
	settled "$name" && return
	echo "module $name did not complete its transition, unloading..."
	echo 0 >"$sys/$name/enabled"
	settled "$name"
	for ((n = 0; n < 15; n++)); do [ "$(cat "/sys/module/$name/refcnt")" -gt 0 ] && sleep 1; done
	rmmod "$name"
	echo "kpatch: error: failed to load module $name (transition stalled)" >&2
	exit 1
}

# For the tests: in which domain of SELinux it runs.
[ -e /sys/fs/selinux/enforce ] && tr -d '\0' </proc/self/attr/current >/run/kpatch-domain

case $1 in
version) echo 0.9.11 ;;
load)
	if [ "$2" = --all ]; then
		for file in "/var/lib/kpatch/$(uname -r)"/*.ko; do [ -e "$file" ] && load "$file"; done
	else
		load "$2"
	fi
	;;
*) echo "subcommand $1 not recognized"; exit 1 ;;
esac
