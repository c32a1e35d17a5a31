// SPDX-License-Identifier: MIT OR Apache-2.0
// toolchain: nightly
// run: for k in normal expanded hir hir-tree thir-tree mir ast-tree; do rustc -Zunpretty=$k nightly-unpretty.rs || exit; done
// run: rustc -Zls=all nightly-unpretty.rs 2>/dev/null; true
fn main() {
    for x in [1, 2, 3] {
        println!("{x}");
    }
}
