# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
# What the end-to-end tests share that compare profiles: whether recording can work here at all, and with which
# compilers; recording one command; reading a profile's counts. To be sourced behind programs.sh.

# Prints why nothing can be recorded on this machine; nothing if it can be. Asked of the system, not of querytap, so
# that a querytap that wrongly gives up is a failure.
why_no_recording() {
	local capabilities release major minor
	capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
	release=$(uname -r)
	IFS=.- read -r major minor _ <<<"$release"
	if [[ $(uname -m) != x86_64 ]]; then
		echo "needs x86-64, this is $(uname -m)"
	elif ((EUID != 0)); then
		echo "needs root"
	elif ((!(0x$capabilities >> 21 & 1) && (0x$capabilities >> 38 & 3) != 3)); then
		echo "root has neither CAP_SYS_ADMIN nor CAP_PERFMON and CAP_BPF here"
	elif [[ ! -e /sys/kernel/btf/vmlinux ]]; then
		echo "the kernel has no BTF"
	elif ((major < 5 || major == 5 && minor < 17)); then
		echo "needs Linux 5.17, this is $release"
	fi
}

# Prints why the rustc in use (see use_compiler) cannot be profiled; nothing if it can be.
why_no_profile() {
	local sysroot=${compiler_bin%/bin} minor driver
	minor=${compiler_name#1.}
	minor=${minor%%.*}
	for driver in "$sysroot"/lib/librustc_driver-*.so "$sysroot"/lib/*/librustc_driver-*.so; do
		[[ -e $driver ]] || continue
		if ! readelf -SW "$driver" | grep -q ' \.symtab '; then
			echo "its librustc_driver has no symbols"
		elif ((minor < 95 || minor > 97)); then
			"$querytap" record --overhead exact -q -o "$temp/probe" -- "$compiler_bin/rustc" -V 2>&1 >/dev/null |
				sed -n 's/^querytap: //p'
		fi
		return
	done
	echo "it has no librustc_driver-*.so"
}

# Prints every rustc to test: rustup's, and the one on PATH.
list_compilers() {
	local sysroot
	{
		find_compilers
		sysroot=$(rustc --print sysroot 2>/dev/null) && echo "$sysroot/bin/rustc"
	} | sort -u
}

# Options of querytap record for record_one.
record_options=()

# Records the command $2... into the folder $1, made anew, with all output in $1.out. Sets status to the command's own
# exit status, profile, and queries and others as querytap's last line has them. If that line does not speak of one whole profile
# it returns 1 and sets why.
# shellcheck disable=SC2034
record_one() {
	local at=$1 line counts='([0-9]+) queries(, ([0-9]+) other events)?, 0 lost, ([0-9]+) truncated'
	rm -rf "$at"
	"$querytap" record --overhead exact "${record_options[@]}" -o "$at" -- "${@:2}" >"$at.out" 2>&1
	status=$?
	line=$(tail -n 1 "$at.out")
	why="querytap's last line is: $line"
	[[ $line =~ ^'querytap: 1 profile, '${counts}(', '[0-9]+' unwound')?', in ' ]] || return 1
	queries=${BASH_REMATCH[1]} others=${BASH_REMATCH[3]:-0}
	profile=$(echo "$at"/*.mm_profdata)
	# A failing compiler leaves its last queries by unwinding, with none behind them that would show that they are gone.
	((status != 0 || BASH_REMATCH[4] == 0))
}

# Prints "label count" of each label of profile $1, sorted.
counts() {
	"$querytap" summarize --json "$1" | grep -o '"label":"[^"]*"\|"invocation_count":[0-9]*' | cut -d: -f2- |
		paste -d' ' - - | tr -d '"' | sort
}

# Prints the sum of the second column.
total() {
	awk '{ sum += $2 } END { print sum + 0 }'
}
