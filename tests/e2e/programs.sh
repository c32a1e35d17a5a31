# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
# What tests/e2e/harm and tests/e2e/kill share: finding compilers and programs, running a program, comparing two runs.
#
# A program is programs/KIND/NAME.rs, or a folder programs/KIND/NAME with a main.rs; KIND is "pass" or "fail". It is
# copied into an empty folder and run there. The comment lines at the top of the file may hold directives:
#
#   // edition: YEAR       of the default command; 2021 if not given
#   // flags: ARG...       added to the default command, `rustc --edition YEAR ARG... FILE`
#   // run: COMMAND        a bash command in place of the default one; may be repeated, each runs whatever the one before
#                          it did; rustc, rustdoc and clippy-driver are those of the compiler under test
#   // status: N...        expected exit status of each command; 0 for "pass" and 1 for "fail" if not given
#   // toolchain: CHANNEL  only for nightly, or only for stable (everything that is not a nightly)
#   // needs: BINARY       only for compilers that have this binary beside them
#   // solo: REASON        harm also records this one on its own

set -u
export LC_ALL=C
e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$e2e/programs

die() {
	echo "${0##*/}: $*" >&2
	exit 2
}

# Prints the path of every rustc to test: the real ones below rustup's folder, or else the one on PATH.
find_compilers() {
	local found=() file
	for file in "${RUSTUP_HOME:-$HOME/.rustup}"/toolchains/*/bin/rustc; do
		[[ -x $file ]] && found+=("$file")
	done
	if ((${#found[@]} == 0)) && file=$(command -v rustc); then
		found=("$file")
	fi
	((${#found[@]} == 0)) || printf '%s\n' "${found[@]}"
}

# Sets compiler_bin, compiler_name and compiler_channel for the rustc at $1; sees through rustup's proxy.
use_compiler() {
	local root
	root=$("$1" --print sysroot) || die "$1 --print sysroot failed"
	compiler_bin=$root/bin
	compiler_name=$("$root/bin/rustc" --version) || die "$root/bin/rustc does not run"
	compiler_name=${compiler_name#rustc }
	compiler_name=${compiler_name%% *}
	compiler_channel=stable
	[[ $compiler_name == *-nightly* || $compiler_name == *-dev* ]] && compiler_channel=nightly
	return 0
}

# Prints KIND/NAME of each program whose name matches the glob *$1*.
list_programs() {
	local kind file name
	for kind in fail pass; do
		for file in "$programs/$kind"/*; do
			name=${file##*/}
			# shellcheck disable=SC2053
			[[ $kind/${name%.rs} == *$1* ]] && echo "$kind/${name%.rs}"
		done
	done
	return 0
}

# Reads the directives of program $1 into program_source, program_runs, program_statuses, program_channel,
# program_needs and program_solo.
# shellcheck disable=SC2034
read_program() {
	local source=$programs/$1.rs line key value edition=2021 flags=() default=0 statuses=()
	program_source=$source
	if [[ -d $programs/$1 ]]; then
		program_source=$programs/$1
		source=$program_source/main.rs
	fi
	[[ $1 == fail/* ]] && default=1
	program_runs=()
	program_channel=
	program_needs=
	program_solo=
	while IFS= read -r line && [[ $line == //* ]]; do
		[[ $line =~ ^//\ ([a-z]+):\ (.*)$ ]] || continue
		key=${BASH_REMATCH[1]}
		value=${BASH_REMATCH[2]}
		case $key in
		edition) edition=$value ;;
		flags) read -ra flags <<<"$value" ;;
		run) program_runs+=("$value") ;;
		status) read -ra statuses <<<"$value" ;;
		toolchain) program_channel=$value ;;
		needs) program_needs=$value ;;
		solo) program_solo=$value ;;
		*) die "$source: unknown directive '$key'" ;;
		esac
	done <"$source"
	if ((${#program_runs[@]} == 0)); then
		program_runs=("rustc --edition $edition ${flags[*]-} ${source##*/}")
	elif ((${#flags[@]} > 0)); then
		die "$source: 'flags' does nothing beside 'run'"
	fi
	program_statuses=("${statuses[@]-$default}")
	while ((${#program_statuses[@]} < ${#program_runs[@]})); do
		program_statuses+=("$default")
	done
	((${#program_statuses[@]} == ${#program_runs[@]})) || die "$source: more statuses than commands"
}

# Says whether the compiler in use is one that program $1 (already read) is meant for: 0 yes, 1 another channel's,
# 2 a binary is missing.
program_fits() {
	[[ -z $program_channel || $program_channel == "$compiler_channel" ]] || return 1
	[[ -z $program_needs || -x $compiler_bin/$program_needs ]] || return 2
}

# Words to go before each command of a program that run_programs runs.
prefix=()

# Runs program $1 below folder $2: leaves the folder's contents in dir/, what is left in TMPDIR in tmp/, and the output
# and exit status of the Nth command in N.out, N.err and N.status.
run_program() {
	local at=$2/$1 n line
	read_program "$1"
	mkdir -p "$at/dir" "$at/tmp"
	if [[ -d $program_source ]]; then
		cp -r "$program_source/." "$at/dir"
	else
		cp "$program_source" "$at/dir"
	fi
	for n in "${!program_runs[@]}"; do
		line=${program_runs[n]}
		# The outer redirection is for the shell's own word on a command that dies of a signal.
		{ (
			cd "$at/dir" || exit
			unset "${!CARGO@}" RUSTFLAGS RUSTC_BOOTSTRAP RUSTC_LOG RUST_BACKTRACE RUST_MIN_STACK
			export PATH=$compiler_bin:$PATH TMPDIR=$at/tmp RUSTC_ICE=0
			exec timeout -k 9 300 "${prefix[@]}" "$BASH" -c "$line"
		) </dev/null >"$at/$n.out" 2>"$at/$n.err"; } 2>/dev/null
		echo $? >"$at/$n.status"
	done
	settle_program "$at"
}

# Takes out of a finished run at $1 what differs from one run to the next in every rustc: process ids in panic messages,
# addresses in backtraces, the random names of temporary folders, of files with long types, of crash reports, of
# incremental sessions and of the object files they put into libraries. Text is edited, files are renamed.
settle_program() {
	local file session to n=0
	shopt -s nullglob
	for file in "$1"/dir/rustc-ice-*.txt; do
		mv "$file" "$1/dir/rustc-ice-$((n++)).txt"
	done
	for file in "$1"/dir/*.long-type-*.txt; do
		to=$(cksum <"$file")
		mv "$file" "${file%-*}-${to// /-}.txt"
	done
	for file in "$1"/{dir,tmp}/{rmeta,rustc}??????/; do
		mv "$file" "$(dirname "$file")/temporary-$((n++))"
	done
	n=0
	for session in "$1"/dir/inc/*/s-*.lock; do
		to=${session%/*}/session-$((n++))
		mv "$session" "$to.lock"
		for file in "${session%.lock}"-*/; do
			mv "$file" "$to"
		done
	done
	((n == 0)) || for file in "$1"/dir/*.rlib; do
		sed -i -E 's/\.[a-z0-9]{7}(\.rcgu\.o)/.SESSION\1/g' "$file"
	done
	sed -i -E -e "s/^(thread '[^']*' )\([0-9]+\)( panicked)/\1(TID)\2/" \
		-e 's/^( *[0-9]+: +)0x[0-9a-f]+ - /\1ADDRESS - /' \
		-e 's/\[0x[0-9a-f]+\]$/[ADDRESS]/' \
		-e 's/(rustc-ice-)[0-9T_-]+(\.txt)/\1WHEN-PID\2/g' \
		-e 's/(\.long-type-)[0-9]+(\.txt)/\1HASH\2/g' \
		-e 's#/(rustc|rmeta)[A-Za-z0-9]{6}(["/])#/\1XXXXXX\2#g' "$1"/*.out "$1"/*.err "$1"/dir/rustc-ice-*.txt
	shopt -u nullglob
}

# Runs the programs $3... below folder $1, $2 at a time. Writes $1/.pid at the start and $1/.done at the end.
run_programs() {
	local folder=$1 jobs=$2 running=0 id
	mkdir -p "$folder"
	echo $$ >"$folder/.pid"
	for id in "${@:3}"; do
		((running < jobs)) || { wait -n && ((running--)); }
		run_program "$id" "$folder" &
		((running++))
	done
	wait
	: >"$folder/.done"
}

# Compares the runs of program $1 below the folders $2 and $3. Prints the first differences and returns 1 if there are
# any. The files are compared byte by byte, except query-cache.bin, which rustc fills in the order of a randomly seeded
# hash.
compare_program() {
	local a=$2/$1 b=$3/$1 all=0
	{
		diff -u --label without --label with <(list_tree "$a") <(list_tree "$b") || all=1
		diff -ru -x dir "$a" "$b" || all=1
		diff -rq --no-dereference -x query-cache.bin "$a/dir" "$b/dir" || all=1
	} >"$2/.diff"
	((all == 0)) && return
	sed -n -e "s#$2/##g; s#$3/##g" -e 's/^/    /' -e 1,40p "$2/.diff"
	return 1
}

list_tree() {
	[[ ! -d $1 ]] || (cd "$1" && find . -printf '%y %m %P %l\n' | sort)
}
