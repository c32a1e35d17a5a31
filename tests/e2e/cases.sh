# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
# What record, attach and sudo share: options, counting, and reading what querytap left. Sourced behind programs.sh and
# recording.sh, with the script's usage() defined.

querytap=$e2e/../../bin/querytap
standin=$e2e/../../build/fixtures/standin
passed=0 failed=0 skipped=0

pass() { ((passed++)) && :; [[ -z ${verbose:-} ]] || echo "pass: $*"; }
skip() { ((skipped++)) && :; echo "skip: $*"; }

# Prints the name of the case that fails, and below it what querytap wrote to file $2.
fail() {
	((failed++)) && :
	echo "FAIL: $1"
	[[ -z ${2:-} || ! -s $2 ]] || head -n 20 "$2" | sed 's/^/    /'
}

# check NAME FILE TEST...: passes if the command TEST succeeds, and otherwise shows FILE.
check() {
	if "${@:3}"; then
		pass "$1"
	else
		fail "$1" "$2"
	fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed == 0))
	exit
}

# Reads the options and makes $temp, which others may enter. Ends the script if nothing can be recorded here.
begin() {
	local why
	while (($# > 0)); do
		case $1 in
		-h | --help) usage && exit ;;
		-v | --verbose) verbose=yes && shift && continue ;;
		--querytap | --standin) [[ $# -ge 2 ]] || die "$1 needs a value; see --help" ;;&
		--querytap) querytap=$2 ;;
		--standin) standin=$2 ;;
		*) die "unknown argument $1; see --help" ;;
		esac
		shift 2
	done
	[[ -x $querytap ]] || die "$querytap is not there; build it, or name it with --querytap"
	querytap=$(realpath "$querytap")
	why=$(why_no_recording)
	if [[ $why ]]; then
		skip "everything: $why"
		finish
	fi
	temp=$(mktemp -d -t "querytap-${0##*/}.XXXXXX") || exit
	temp=$(realpath "$temp")
	chmod 755 "$temp"
	trap cleanup EXIT
	cd "$temp" || exit
	# Probe no compilers but those of the test, and leave the user's cache alone.
	export XDG_CACHE_HOME=$temp/cache
}

cleanup() { rm -rf "$temp"; }

# Sets standin_rustc; ends the script if the stand-in compiler was not built.
use_standin() {
	standin_rustc=$standin/bin/rustc
	if [[ ! -x $standin_rustc ]]; then
		skip "everything: the stand-in compiler is not there; make standin"
		finish
	fi
	standin=$(realpath "$standin")
	standin_rustc=$standin/bin/rustc
}

# Prints the value of KEY in querytap's part of the metadata of profile FILE.
# What follows the metadata in the file is binary.
meta() { LC_ALL=C grep -ao '"querytap": {.*}' "$2" | LC_ALL=C grep -ao "\"$1\":[^,}]*" | head -n 1 | cut -d: -f2; }

# Prints the value of KEY added up over the profiles $2...
meta_total() {
	local key=$1 file sum=0
	shift
	for file; do
		sum=$((sum + $(meta "$key" "$file")))
	done
	echo "$sum"
}

# Prints the number before the word $1 in querytap's last line, in file $2; 0 if it is not there.
said() {
	local line
	line=$(grep '^querytap: ' "$2" | tail -n 1)
	[[ $line =~ ([0-9]+)\ $1 ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# Waits up to $1 seconds until the command $2... succeeds.
wait_until() {
	local tries=$(($1 * 50))
	shift
	until "$@" >/dev/null 2>&1; do
		((tries-- > 0)) || return 1
		sleep 0.02
	done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# The ids of the BPF programs, links and maps that the processes $@ hold.
held() {
	local pid
	for pid; do
		grep -hoE '^(prog|link|map)_id:\s+[0-9]+' "/proc/$pid"/fdinfo/* 2>/dev/null
	done | sort -u
}

# Whether the kernel has none of those in the file held in $temp.
released() {
	local kind id
	while IFS=$': \t' read -r kind id; do
		! bpftool "${kind%_id}" show id "$id" >/dev/null 2>&1 || return
	done <"$temp/held"
}
