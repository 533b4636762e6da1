#!/bin/bash
# Unpacks a Debian package of any suite into a directory, without root and
# without touching the system's own package lists:
#
#   get-deb.sh PKG SUITE DEST [VERSION]
#
# It names no mirror: it copies the machine's own Debian source and changes only
# the suite in it.
set -euo pipefail
package=$1 suite=$2 destination=$3 version=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,parts,deb}

# `Targets: Packages` and `Languages=none` leave out lists of several times the
# size that nothing here reads.
awk 'BEGIN{RS="";ORS="\n\n"} /(^|\n)URIs:[^\n]*\/debian([[:space:]]|$)/{print; exit}' \
  /etc/apt/sources.list.d/debian.sources \
  | sed -e '/^#/d' -e "s/^Suites:.*/Suites: $suite/" -e '/^Components:/a Targets: Packages' \
  > "$work/parts/x.sources"
if ! [ -s "$work/parts/x.sources" ]; then
  echo "get-deb.sh: no Debian source found in /etc/apt/sources.list.d/debian.sources" >&2
  exit 1
fi
options=(
  -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$work/parts"
  -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache"
  -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3
)
apt-get "${options[@]}" -qq update
(cd "$work/deb" && apt-get "${options[@]}" -qq download "$package${version:+=$version}")

# Unpacked beside and moved, so that an interrupted run leaves no half a tool.
rm -rf "$destination" "$destination.partial"
mkdir -p "$destination.partial"
dpkg -x "$work"/deb/*.deb "$destination.partial"
mv "$destination.partial" "$destination"
