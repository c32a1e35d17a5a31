# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
# What shim and cargo share: a small cargo workspace. Sourced behind cases.sh.

# Sets real_bin to the folder of a rustc with a cargo beside it, and puts that first on PATH; ends the script if there is
# none.
use_cargo() {
	local rustc
	rustc=$(find_compilers | head -n 1)
	[[ -n $rustc ]] || { skip "cargo: there is no rustc below rustup's folder or on PATH"; finish; }
	use_compiler "$rustc"
	real_bin=$compiler_bin
	[[ -x $real_bin/cargo ]] || { skip "cargo: there is none beside $real_bin/rustc"; finish; }
	unset "${!CARGO@}" RUSTFLAGS RUSTC RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER RUSTUP_TOOLCHAIN
	export PATH=$real_bin:$PATH CARGO_TERM_COLOR=never CARGO_INCREMENTAL=0 CARGO_HOME=$temp/cargo CARGO_NET_OFFLINE=true
}

# package NAME [DEPENDENCY]: its manifest.
package() {
	printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n' "$1"
	[[ -z ${2-} ]] || echo "$2 = { path = \"../$2\" }"
}

# Makes the folder $1: the library ant, which has a build script and is no member; bat, a library that needs it; and cow,
# a program that needs bat and prints its arguments.
make_workspace() {
	mkdir -p "$1"/{ant,bat,cow}/src
	printf '[workspace]\nresolver = "2"\nmembers = ["bat", "cow"]\nexclude = ["ant"]\n' >"$1/Cargo.toml"
	package ant >"$1/ant/Cargo.toml"
	package bat ant >"$1/bat/Cargo.toml"
	package cow bat >"$1/cow/Cargo.toml"
	echo 'pub fn legs() -> u32 { include!(concat!(env!("OUT_DIR"), "/legs")) }' >"$1/ant/src/lib.rs"
	cat >"$1/ant/build.rs" <<'END'
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    std::fs::write(std::env::var("OUT_DIR").unwrap() + "/legs", "6").unwrap();
}
END
	echo 'pub fn legs() -> Vec<u32> { vec![ant::legs(), 2] }' >"$1/bat/src/lib.rs"
	cat >"$1/cow/src/main.rs" <<'END'
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{:?} {words:?}", bat::legs());
    std::process::exit(words.len() as i32);
}
END
}

# Has the build script print this line of instructions for cargo, too.
instruct_cargo() {
	sed -i "s/build.rs\"/&); println!(\"cargo:$1\"/" ant/build.rs
}

# What differs between two builds of this workspace by cargo itself: what it knows of the compiler, with the wrapper's
# age; when it did what; and a list that is in an order of its own each time.
same_targets() {
	diff -r -x .rustc_info.json -x invoked.timestamp -x dep-lib-ant "$1" "$2"
}

# Prints the crates that the verbose cargo whose output is in $1 had compiled.
compiled_crates() { sed -n 's/^ *Running `.*--crate-name \([^ ]*\) .*/\1/p' "$1" | sort | tr '\n' ' '; }
