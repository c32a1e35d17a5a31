# SPDX-License-Identifier: MIT OR Apache-2.0
# shellcheck shell=bash
# A cargo workspace for those tests that build one.

# Prints the Cargo.toml of crate NAME: manifest NAME DEPENDENCY...
manifest() {
	local name=$1 other
	shift
	printf '[package]\nname = "%s"\nversion = "0.1.0"\nedition = "2021"\n\n' "$name"
	[[ $name != derive ]] || printf '[lib]\nproc-macro = true\n\n'
	echo '[dependencies]'
	for other; do
		echo "$other = { path = \"../$other\" }"
	done
}

# Makes the workspace $1: the crates $2..., which need one another so that some are compiled at the same time, each fifth
# with a build script; a proc-macro crate that they use; and a program that uses them all.
make_workspace() {
	local workspace=$1 names=("${@:2}") needs name other i
	mkdir -p "$workspace/derive/src" "$workspace/farm/src"
	{
		echo '[workspace]'
		echo 'resolver = "2"'
		printf 'members = ["derive", "farm"'
		printf ', "%s"' "${names[@]}"
		echo ']'
	} >"$workspace/Cargo.toml"

	manifest derive >"$workspace/derive/Cargo.toml"
	cat >"$workspace/derive/src/lib.rs" <<'END'
use proc_macro::TokenStream;

#[proc_macro_derive(Voice)]
pub fn voice(input: TokenStream) -> TokenStream {
    let words: Vec<String> = input.into_iter().map(|tree| tree.to_string()).collect();
    let at = words.iter().position(|word| word == "struct").unwrap();
    format!("impl {} {{ pub fn voice(&self) -> &'static str {{ {:?} }} }}", words[at + 1], words[at + 1])
        .parse()
        .unwrap()
}
END
	for ((i = 0; i < ${#names[@]}; i++)); do
		name=${names[i]}
		mkdir -p "$workspace/$name/src"
		needs=(derive)
		((i < 1)) || needs+=("${names[i - 1]}")
		((i < 4)) || needs+=("${names[i / 2]}")
		manifest "$name" "${needs[@]}" >"$workspace/$name/Cargo.toml"
		{
			echo '#[derive(derive::Voice, Clone, Debug, Default, PartialEq)]'
			echo 'pub struct Animal { pub name: String, pub legs: Vec<u32> }'
			echo 'pub fn all() -> Vec<String> {'
			echo '    let mut found = vec![format!("{:?} {}", Animal::default(), Animal::default().voice())];'
			for other in "${needs[@]:1}"; do
				echo "    found.extend($other::all().into_iter().take(2));"
			done
			((i % 5)) || echo '    found.push(include_str!(concat!(env!("OUT_DIR"), "/built")).to_string());'
			echo '    found'
			echo '}'
		} >"$workspace/$name/src/lib.rs"
		((i % 5)) || cat >"$workspace/$name/build.rs" <<'END'
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/built"), std::env::var("CARGO_PKG_NAME").unwrap()).unwrap();
}
END
	done
	manifest farm "${names[@]}" >"$workspace/farm/Cargo.toml"
	{
		echo 'fn main() {'
		printf '    println!("{:?}", %s::all());\n' "${names[@]}"
		echo '}'
	} >"$workspace/farm/src/main.rs"
}
