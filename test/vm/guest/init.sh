#!/bin/bash
# PID 1 of the small test guest: mounts what a system has, loads drivers, then serves commands of the host.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root TERM=dumb LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
for n in 0 1 2; do ln -sfn "/proc/self/fd/$n" "/dev/$(printf 'stdin stdout stderr' | cut -d' ' -f$((n + 1)))"; done
ln -sfn /proc/self/fd /dev/fd
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
chmod 1777 /tmp
exec </dev/null >/dev/ttyS0 2>&1
ip link set lo up
for driver in virtio_pci virtio_console virtio_net; do modprobe "$driver"; done
ip link set eth0 up && ip addr add 10.0.2.15/24 dev eth0 && ip route add default via 10.0.2.2
if grep -qw kpm.disk /proc/cmdline; then
	# /var on a disk that outlives the machine
	for driver in virtio_blk crc32c_generic ext4; do modprobe "$driver"; done
	for _ in $(seq 50); do [ -b /dev/vda ] && break; sleep 0.1; done
	mount -t ext4 /dev/vda /var && mkdir -p /var/lib /var/log /var/cache /var/tmp
fi
[ -x /etc/rc.test ] && /etc/rc.test
exec /bin/bash /usr/lib/kpm-test/agent.sh
