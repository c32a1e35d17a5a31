// SPDX-License-Identifier: MIT OR Apache-2.0
fn main() {
    let x = undefined_value;
    undefined_function(x);
    UndefinedType::new();
    println!("{}", lenght);
}
