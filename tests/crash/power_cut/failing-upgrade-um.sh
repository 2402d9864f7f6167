#!/bin/bash
# The script of media whose upgrade fails: asks as the vendor's does, installs the packages, by which the product's
# store is migrated, edits configuration in every way that there is, and then gives up.
set -eu

read -r -p "Is a snapshot of the vCloud Usage Meter appliance virtual machine created? (y/n): " answer
[ "$answer" = y ]
rpm --upgrade "$(dirname "$0")"/repo/*.rpm

echo "# as 4.7 wants it" >>/etc/nginx/nginx.conf
echo "colour = new" >/etc/um-platform/um-platform-web.conf
sed -i 's/^version.*/version = none/' /etc/um-platform/um-platform-units.conf
rm /etc/photon-release
mv /etc/um-platform/um-platform-logging.conf /etc/um-platform/logging.conf
echo "# new" >/etc/um-platform/local.conf
mkdir -p /opt/vmware/conversion/done /boot/conversion
touch /opt/vmware/conversion/done/4.7
chmod 0711 /opt/vmware/cloudusagemetering/scripts
chown usagemeter /etc/um-platform/um-platform-web.conf
ln -sfn /usr/share/zoneinfo/Asia/Tokyo /etc/localtime
systemctl --quiet disable nginx.service
systemctl --quiet mask systemd-networkd-persistent-storage.service

echo "Upgrade failed: this appliance cannot be converted." >&2
exit 7
