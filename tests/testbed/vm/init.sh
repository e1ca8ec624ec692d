#!/bin/busybox sh
# First program of the tests' machine: its root is the host's own, read-only over 9p, beneath an overlay in memory.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod "$module"; done
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=512000 root /ro
mount -t tmpfs -o mode=0755 tmpfs /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work overlay /root
for folder in proc sys dev; do mount --move /$folder /root/$folder; done
for word in $(cat /root/proc/cmdline); do
  case $word in bodyworn.start=*) start=${word#*=} ;; esac
done
exec switch_root /root /bin/sh "$start"
