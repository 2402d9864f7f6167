#!/bin/bash
# Says how the product's services are: one line each, and one for all of them.
# shellcheck source=/dev/null
. /opt/vmware/cloudusagemetering/platform/release

overall=Running
for service in $SERVICES; do
    ActiveState='' NRestarts=0
    while IFS='=' read -r key value; do
        declare "$key=$value"
    done < <(systemctl show --property=ActiveState,NRestarts "$service")
    if [ "$ActiveState" != active ]; then
        status=Offline overall=Offline
    elif [ "$NRestarts" -gt 0 ]; then
        status='Running with errors'
        [ "$overall" = Offline ] || overall=$status
    else
        status=Running
    fi
    echo "${service%.service}: $status"
done
echo "vCloud Usage Meter $VERSION: $overall"
