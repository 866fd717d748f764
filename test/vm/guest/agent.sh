#!/bin/bash
# Serves the host over a virtio serial port. A request is one line: NUMBER SECONDS BASE64(script);
# the reply is one line: NUMBER STATUS BASE64(stdout) BASE64(stderr). A status of 124 means: took longer than SECONDS.
for _ in $(seq 100); do
	port=$(grep -lx kpm-test /sys/class/virtio-ports/*/name 2>/dev/null | head -n1)
	[ -n "$port" ] && break
	sleep 0.1
done
port=/dev/$(basename "$(dirname "$port")")
for _ in $(seq 100); do [ -c "$port" ] && break; sleep 0.1; done
exec 7<>"$port"
echo "READY $(uname -r) $(cut -d' ' -f1 /proc/uptime)" >&7
scratch=$(mktemp -d /run/kpm-test.XXXXXX)
while read -r -u 7 number seconds script; do
	base64 -d <<<"$script" >"$scratch/script"
	timeout -k 5 "$seconds" /bin/bash "$scratch/script" </dev/null >"$scratch/out" 2>"$scratch/err" 7>&-
	status=$?
	# Never empty, so that the reply always has four words.
	echo "$number $status =$(base64 -w0 "$scratch/out") =$(base64 -w0 "$scratch/err")" >&7
done
