// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -O -C target-cpu=x86-64 -C panic=abort -C strip=symbols optimised.rs
// run: ./optimised
// run: rustc -C opt-level=s -C overflow-checks=yes -C debug-assertions=yes -o small optimised.rs
// run: ./small
#[inline(never)]
fn matrix(n: usize) -> Vec<Vec<f64>> {
    let a: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| ((i * j) % 7) as f64).collect()).collect();
    let mut c = vec![vec![0.0; n]; n];
    for i in 0..n {
        for k in 0..n {
            for j in 0..n {
                c[i][j] += a[i][k] * a[k][j];
            }
        }
    }
    c
}

fn main() {
    let m = matrix(30);
    println!("{}", m.iter().flatten().sum::<f64>());
}
