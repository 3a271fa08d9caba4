#!/bin/sh
# Puts a real Asterisk, and a voice for its callers, into a folder and prints that folder.
#
# Debian stable has no Asterisk package, unstable ("sid") has: it is unpacked by debootstrap and
# used by chroot. Nothing of the host changes, except that debootstrap itself is installed when it
# is missing. The archive is the one that this machine's apt uses. About a minute and 500 MB, once.
#
#   exit 0  there it is (its folder on standard output)
#   exit 3  cannot be had on this machine; the reason on standard error
#
# RAPIDA_PEERS: the folder above it; .cache of the repository unless given.
set -eu

packages=asterisk,asterisk-core-sounds-en-gsm,ca-certificates,flite
repository=$(cd "$(dirname "$0")/../.." && pwd)
peers=${RAPIDA_PEERS:-$repository/.cache}
root=$peers/asterisk
log=$peers/asterisk.log

cannot() {
    echo "no real Asterisk: $1" >&2
    exit 3
}

present() {
    [ -f "$root/.packages" ] && [ "$(cat "$root/.packages")" = "$packages" ]
}

[ "$(id -u)" = 0 ] || cannot "installing and running it in a chroot needs root"
mkdir -p "$peers" || cannot "$peers cannot be made"
# Two test runs that start at once: the second waits for the first one's work.
exec 9>"$peers/asterisk.lock"
flock 9

if ! present; then
    command -v apt-get >/dev/null || cannot "no apt-get: this is not a Debian machine"
    if ! command -v debootstrap >/dev/null; then
        echo "installing debootstrap" >&2
        {
            apt-get update -qq &&
                DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                    debootstrap debian-archive-keyring
        } >"$log" 2>&1 9>&- || cannot "debootstrap cannot be installed, see $log"
    fi
    archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep '/debian/\?$' | sort -u | head -n 1)
    [ -n "$archive" ] || cannot "apt knows no Debian archive (apt-get update may be missing)"
    echo "installing Asterisk into $root (a minute or two)" >&2
    rm -rf "$root" "$root.new"
    debootstrap --variant=minbase --include="$packages" sid "$root.new" "$archive" \
        >"$log" 2>&1 9>&- || cannot "debootstrap failed, see $log"
    echo '127.0.0.1 localhost' >"$root.new/etc/hosts"
    # The cache of packages is half of the folder, and nothing will be installed from it again.
    rm -rf "$root.new"/var/cache/apt/archives/*.deb
    printf '%s\n' "$packages" >"$root.new/.packages"
    mv "$root.new" "$root"
fi

chroot "$root" asterisk -V >&2 9>&- || cannot "the Asterisk in $root does not run; remove that folder"
echo "$root"
