// SPDX-License-Identifier: MIT OR Apache-2.0
extern crate proc_macro;
use proc_macro::{TokenStream, TokenTree};

#[proc_macro_derive(Describe)]
pub fn describe(input: TokenStream) -> TokenStream {
    let mut words = input.into_iter().filter_map(|t| match t {
        TokenTree::Ident(i) => Some(i.to_string()),
        _ => None,
    });
    let name = words.by_ref().skip_while(|w| w != "struct").nth(1).unwrap();
    format!("impl {name} {{ fn describe() -> &'static str {{ \"{name}\" }} }}").parse().unwrap()
}

#[proc_macro_attribute]
pub fn logged(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    out.extend(item);
    out
}

#[proc_macro]
pub fn repeat(input: TokenStream) -> TokenStream {
    let text = input.to_string();
    let (n, e) = text.split_once(',').unwrap();
    let n: usize = n.trim().parse().unwrap();
    format!("({})", vec![format!("({e})"); n].join(" + ")).parse().unwrap()
}
