//! Makes the parsers from their grammars.

fn main() {
    // A grammar that is new makes this run again; those that are as they were are not made anew.
    println!("cargo::rerun-if-changed=src/syntax");
    // The order and the places of the output depend on the grammar alone, so builds are repeatable.
    let made = lalrpop::Configuration::new().use_cargo_dir_conventions().emit_rerun_directives(true).process();
    if let Err(fault) = made {
        println!("cargo::error=a grammar can't be made into a parser: {fault}");
    }
}
