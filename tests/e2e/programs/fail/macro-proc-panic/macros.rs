// SPDX-License-Identifier: MIT OR Apache-2.0
extern crate proc_macro;
use proc_macro::TokenStream;

#[proc_macro]
pub fn boom(_: TokenStream) -> TokenStream {
    panic!("the macro gave up")
}

#[proc_macro]
pub fn garbage(_: TokenStream) -> TokenStream {
    "fn ( ) struct = ;".parse().unwrap()
}

#[proc_macro_derive(Explode)]
pub fn explode(_: TokenStream) -> TokenStream {
    let v: Vec<u8> = Vec::new();
    format!("const X: u8 = {};", v[3]).parse().unwrap()
}
