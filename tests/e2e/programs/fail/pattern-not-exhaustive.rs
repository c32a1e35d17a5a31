// SPDX-License-Identifier: MIT OR Apache-2.0
enum Shape {
    Circle(f64),
    Square { side: f64 },
    Other(Option<Box<Shape>>),
}

fn main() {
    let s = Shape::Circle(1.0);
    match s {
        Shape::Circle(_) => {}
        Shape::Other(None) => {}
    }
    match (1u8, true) {
        (0..=9, true) => {}
        (11.., _) => {}
    }
    let Some(x) = Some(1);
    match &[1, 2, 3][..] {
        [] => {}
        [_, .., 3] => {}
    }
}
