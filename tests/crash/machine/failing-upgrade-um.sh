#!/bin/bash
# The script of media whose upgrade fails: upgrades the ledger, converts its data, edits its configuration, gives up.
# It may not run again, so that it is rolled back wherever it was cut off.
set -eu

read -r -p "Is a snapshot of the appliance's virtual machine created? (y/n): " answer
[ "$answer" = y ]
echo "4 5 6" >>/var/lib/ledger/store/records
echo made >>/var/lib/ledger/changes
rpm --upgrade --force "$(dirname "$0")"/ledger.rpm
echo "# as it is wanted now" >>/etc/ledger/ledger.conf
rm /etc/ledger/local.conf
mkdir /etc/ledger/converted
echo converted >/etc/ledger/converted/ledger
echo "The ledger cannot be converted."
exit 7
