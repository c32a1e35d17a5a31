// SPDX-License-Identifier: MIT OR Apache-2.0
// The same error in every way it can be printed.
// run: rustc --error-format=json json-and-colour.rs
// run: rustc --error-format=json --json=diagnostic-rendered-ansi,artifacts,future-incompat json-and-colour.rs
// run: rustc --error-format=short json-and-colour.rs
// run: rustc --color=always json-and-colour.rs
// run: rustc --diagnostic-width=40 json-and-colour.rs
// run: rustc --verbose json-and-colour.rs
// status: 1 1 1 1 1 1
fn main() {
    let a_rather_long_name: Vec<std::collections::HashMap<String, u8>> = Some(1).map(|x| x + 1);
}
