# The machine is up: bring up what any Debian has, then run the guest's part of the tests.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TZ=UTC
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /dev/pts /dev/shm /mnt/share /lib/modules
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t 9p -o trans=virtio,version=9p2000.L,rw,cache=none,msize=512000 share /mnt/share
. /mnt/share/machine.env
mount --bind "$MODULES" /lib/modules
ip link set lo up
cd "$TESTS" || exit 1
PYTHONPATH=$TESTS "$PYTHON" -B -m testbed.vm.guest &
guest=$!
mkdir -p /run/udev/rules.d
/lib/systemd/systemd-udevd --daemon
modprobe -a configfs xhci_pci ehci_pci usb_storage sd_mod loop fuse vfat exfat nls_ascii nls_cp437 nls_utf8
# as at any start: this is how the kernel comes to look for media that were put into disks
udevadm trigger --type=subsystems --action=add --sysname-match=block
udevadm trigger --subsystem-match=usb --subsystem-match=block
udevadm settle --timeout=20
echo "machine: up after $(cut -d' ' -f1 /proc/uptime) s"
touch /run/machine-is-up
wait $guest
echo "machine: ends after $(cut -d' ' -f1 /proc/uptime) s"
sync
poweroff -f || echo o > /proc/sysrq-trigger
