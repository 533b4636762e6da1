#!/bin/bash
# get-deb.sh PACKAGE SUITE DESTINATION [VERSION]
#
# Unpacks a Debian package of any suite into a folder, without touching the
# machine's apt state: it copies the machine's own Debian source and changes
# only the suite. Nothing is installed and no maintainer script runs.
set -euo pipefail

[[ $# -eq 3 || $# -eq 4 ]] || { echo "usage: $0 PACKAGE SUITE DESTINATION [VERSION]" >&2; exit 64; }
package=$1 suite=$2 destination=$3 version=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,parts,deb}

# The machine's own source in either of apt's two formats; machines of a cloud name
# a list of mirrors, /etc/apt/mirrors/debian.list. Without the target
# `Packages` apt also fetches 40 MB of translations and application metadata.
if [[ -r /etc/apt/sources.list.d/debian.sources ]]; then
  awk 'BEGIN { RS = ""; ORS = "\n\n" } /(^|\n)URIs:[^\n]*\/debian(\.list)?([[:space:]\/]|$)/ { print; exit }' \
    /etc/apt/sources.list.d/debian.sources |
    sed -e '/^#/d' -e "s/^Suites:.*/Suites: $suite/" -e '/^Components:/a Targets: Packages' \
      > "$work/parts/suite.sources"
else
  awk -v suite="$suite" '$1 == "deb" && match($0, /[a-z+]+:[^ ]*\/debian(\.list)?\/?( |$)/) {
      print "deb [target=Packages]", substr($0, RSTART, RLENGTH), suite, "main"; exit
    }' /etc/apt/sources.list > "$work/parts/suite.list"
fi
if [[ ! -s $(echo "$work"/parts/suite.*) ]]; then
  echo "$0: no Debian archive in /etc/apt/sources.list.d/debian.sources or /etc/apt/sources.list" >&2
  exit 1
fi

options=(
  -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts"
  -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache"
  -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3
)
# A list that cannot be had is an error and not, as by default, a warning.
apt-get "${options[@]}" -o APT::Update::Error-Mode=any -qq update
(cd "$work/deb" && apt-get "${options[@]}" -qq download "$package${version:+=$version}")

# Unpacked beside the destination and moved there when complete, so that an
# interrupted run leaves nothing that looks finished.
rm -rf "$destination.partial"
mkdir -p "$destination.partial"
dpkg -x "$work"/deb/*.deb "$destination.partial"
rm -rf "$destination"
mv "$destination.partial" "$destination"
