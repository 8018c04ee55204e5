# What the set-up scripts share: one-line messages, and Debian packages. Sourced, not run.

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# can_install: whether Debian packages can be installed here without asking anybody
can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; }

# apt_install PACKAGE...: as root on a Debian system; the log of apt-get is shown only when it fails
apt_install() {
    say "installing Debian's $* with apt-get"
    apt_log=$(mktemp)
    if { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"; } \
        >"$apt_log" 2>&1 </dev/null; then
        rm -f "$apt_log"
    else
        tail -n 20 "$apt_log" >&2
        rm -f "$apt_log"
        return 1
    fi
}
