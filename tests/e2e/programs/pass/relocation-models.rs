// SPDX-License-Identifier: MIT OR Apache-2.0
// run: for m in pic pie static; do rustc -C relocation-model=$m -o made-$m relocation-models.rs && ./made-$m || exit; done
// run: rustc -C target-feature=+crt-static -o fixed relocation-models.rs && ./fixed
// run: rustc -C split-debuginfo=unpacked -C debuginfo=2 -C dwarf-version=5 -o split relocation-models.rs
fn main() {
    println!("{}", option_env!("NOTHING").unwrap_or("nothing"));
}
