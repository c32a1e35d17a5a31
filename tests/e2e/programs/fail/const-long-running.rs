// SPDX-License-Identifier: MIT OR Apache-2.0
// Stopped by the deny-by-default lint long_running_const_eval.
const X: u64 = {
    let mut n = 0;
    loop {
        n += 1;
        if n == u64::MAX {
            break n;
        }
    }
};

fn main() {
    println!("{}", X);
}
