#!/bin/bash
# Upgrades a vCloud Usage Meter appliance from the YUM repository beside this script.
#
# A person starts it at the console once the upgrade medium is mounted:
#     bash /root/upgrade/upgrade-um.sh
# um-upgrade starts the same script on a pseudo-terminal, answers its two questions, and records what it prints.
# um-upgrade sets UM_UPGRADE_ID. If that is set, this script keeps no log of its own.
set -uo pipefail
export LC_ALL=C

readonly log_file=/opt/vmware/var/logs/um-upgrade.log
media=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly media

log() {
    [ -z "${UM_UPGRADE_ID:-}" ] || return 0
    printf '%(%Y-%m-%dT%H:%M:%S%z)T %s\n' -1 "$*" >>"$log_file"
}

say() {
    printf '%s\n' "$*"
    log "$*"
}

fail() {
    say "$*" >&2
    exit 1
}

# ask QUESTION: succeeds if the answer is yes, and fails if it is no. After any other answer it asks again. The end of
# the input means no.
ask() {
    local answer
    while read -r -p "$1" answer; do
        log "$1$answer"
        case $answer in
            [Yy] | [Yy][Ee][Ss]) return 0 ;;
            [Nn] | [Nn][Oo]) return 1 ;;
        esac
    done
    log "$1(no answer)"
    return 1
}

# The common name in the certificate that the appliance serves on port 443. The vendor's message names it, too.
certificate_name() {
    timeout 30 openssl s_client -connect localhost:443 </dev/null 2>/dev/null |
        openssl x509 -noout -subject -nameopt multiline 2>/dev/null |
        sed -n 's/^ *commonName *= //p' | tail -n 1
}

check_host_name() {
    local host current_hostname
    host=$(certificate_name)
    current_hostname=$(cat /proc/sys/kernel/hostname)
    if [ -z "$host" ]; then
        say "No certificate is served on localhost:443, so the host name is not compared with one."
    elif [ "${host,,}" != "${current_hostname,,}" ]; then
        say "Detected wrong hostname. Expected hostname: ${host}, but found: ${current_hostname}.This will most probably result in issues after upgrade with the existing vCloud Usage Meter certificates."
        say "Please change the hostname and then you can either generate a new self-signed"
        say "certificate or import an internal Certification Authority (CA) - Signed Certificate. "
        say "Note: The certificate CN must match the hostname of the vCloud Usage Meter appliance."
        say "For information, see vCloud Usage Meter Certificate Management."
    fi
}

repository() {
    local metadata
    for metadata in "$media"/repodata/repomd.xml "$media"/*/repodata/repomd.xml; do
        [ ! -f "$metadata" ] || { dirname "$(dirname "$metadata")"; return 0; }
    done
    return 1
}

package_manager() {
    local candidate
    for candidate in tdnf dnf yum; do
        command -v "$candidate" && return 0
    done
    return 1
}

# upgrade_from REPOSITORY MANAGER: runs the package manager with a configuration of its own, so that it sees only this
# repository. The options --disablerepo and --repofrompath do not mean the same to every package manager. The packages
# carry no signatures of their own, because the medium was authenticated as a whole.
upgrade_from() {
    mkdir -p "$work/repos" "$work/cache"
    cat >"$work/repos/um-upgrade.repo" <<REPOSITORY
[um-upgrade]
name=vCloud Usage Meter upgrade medium
baseurl=file://$1
enabled=1
gpgcheck=0
skip_if_unavailable=0
REPOSITORY
    cat >"$work/packages.conf" <<CONFIGURATION
[main]
gpgcheck=0
best=1
plugins=0
installonly_limit=3
clean_requirements_on_remove=0
reposdir=$work/repos
repodir=$work/repos
cachedir=$work/cache
CONFIGURATION
    local line
    "$2" -c "$work/packages.conf" -y upgrade </dev/null 2>&1 | while IFS= read -r line; do say "$line"; done
    return "${PIPESTATUS[0]}"
}

# The package manager's status does not show failed scriptlets or half a transaction. The rpm database does.
packages_behind() { # packages_behind REPOSITORY: names the packages that are installed, but not at the medium's version
    local format='%{NAME} %{VERSION}-%{RELEASE}.%{ARCH}\n'
    find "$1" -name '*.rpm' -print0 |
        xargs -0 -r rpm -qp --nosignature --nodigest --qf "$format" | sort -u >"$work/media"
    rpm -qa --qf "$format" | sort -u >"$work/installed"
    comm -23 "$work/media" "$work/installed" | join - <(cut -d ' ' -f 1 "$work/installed" | sort -u)
}

main() {
    [ "$(id -u)" = 0 ] || fail "upgrade-um.sh must be run as root."
    local repository manager behind status
    repository=$(repository) || fail "There is no YUM repository on this medium: $media"
    manager=$(package_manager) || fail "There is no package manager here: tdnf, dnf or yum."
    work=$(mktemp -d /var/tmp/upgrade-um.XXXXXX) || fail "Cannot make a working directory in /var/tmp."
    trap 'rm -rf "$work"' EXIT

    ask "Is a snapshot of the vCloud Usage Meter appliance virtual machine created in the running vCenter Server environment? (y/n): " ||
        fail "Take a snapshot of the appliance virtual machine first. Nothing was changed."
    check_host_name

    say "Upgrading from $repository with $(basename "$manager")."
    status=0
    upgrade_from "$repository" "$manager" || status=$?
    [ "$status" = 0 ] ||
        fail "Upgrade failed: $(basename "$manager") ended with status $status. See $log_file, and revert to the latest snapshot."
    behind=$(packages_behind "$repository")
    [ -z "$behind" ] ||
        fail "Upgrade failed: these packages are not at the medium's version: ${behind//$'\n'/, }. Revert to the latest snapshot."
    say "Upgrade finished: cloudusagemetering is at $(rpm -q --qf '%{VERSION}' cloudusagemetering 2>/dev/null || echo none)."

    if ask "Reboot is recommended after an upgrade.Reboot now? (y/n)"; then
        say "Rebooting."
        reboot
    else
        say "Reboot the appliance with this command: sudo reboot"
    fi
}

[ -n "${UM_UPGRADE_ID:-}" ] || mkdir -p "$(dirname "$log_file")"
main "$@"
