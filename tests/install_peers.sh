#!/bin/sh
# Installs the Debian packages that the tests use, or those that are named. Where that cannot be
# done (no root, no apt) it says so and succeeds: the tests that need them tell it by skipping.
set -eu

missing() {
    for package in "$@"; do
        # A server from elsewhere is as good as the package.
        case $package in
        redis-server) command -v redis-server >/dev/null && continue ;;
        postgresql) ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && continue ;;
        esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            echo "$package"
    done
}

[ $# -gt 0 ] || set -- redis-server postgresql libflite1 libopus0
wanted=$(missing "$@")
[ -n "$wanted" ] || exit 0
wanted=$(echo "$wanted" | tr '\n' ' ')

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, and not root on Debian: $wanted" >&2
    exit 0
fi

echo "installing $wanted" >&2
export DEBIAN_FRONTEND=noninteractive
install() {
    # shellcheck disable=SC2086 - a list of names
    apt-get install -y -qq --no-install-recommends $wanted >/dev/null
}
# The lists of packages may be missing or old: only then is fetching them worth the time.
install 2>/dev/null || { apt-get update -qq && install; } ||
    echo "apt-get could not install $wanted" >&2
