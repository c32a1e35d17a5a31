// SPDX-License-Identifier: MIT OR Apache-2.0
// flags: -C instrument-coverage -C link-dead-code
fn main() {
    for x in 0..3 {
        println!("{}", if x == 1 { "one" } else { "other" });
    }
}
