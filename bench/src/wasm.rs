//! WebAssembly's side of the machine's benchmarks: wasmi, metered by fuel.

use crate::harness::Outcome;
use wasmi::{Config, Engine, Instance, Linker, Module, Store, Val};

/// An instance that has not run yet.
pub struct Wasm {
    store: Store<()>,
    instance: Instance,
}

/// More than any program here uses: what counts is that it is counted.
const FUEL: u64 = u64::MAX / 2;

impl Wasm {
    pub fn new(text: &str) -> Outcome<Wasm> {
        let mut config = Config::default();
        config.consume_fuel(true);
        let engine = Engine::new(&config);
        let module = Module::new(&engine, text).map_err(said)?;
        let mut store = Store::new(&engine, ());
        store.set_fuel(FUEL).map_err(said)?;
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).map_err(said)?;
        Ok(Wasm { store, instance })
    }

    /// What `run` gives, floats by their bits.
    pub fn call(&mut self, argument: i64) -> Outcome<String> {
        let run = self.instance.get_func(&self.store, "run").ok_or("there is no export `run`")?;
        let mut results = vec![Val::I64(0); run.ty(&self.store).results().len()];
        run.call(&mut self.store, &[Val::I64(argument)], &mut results).map_err(said)?;
        let shown = |value: &Val| match value {
            Val::I64(integer) => integer.to_string(),
            Val::F64(float) => format!("{:016x}", float.to_bits()),
            Val::I32(_) | Val::F32(_) | Val::V128(_) | Val::FuncRef(_) | Val::ExternRef(_) => "nothing".to_owned(),
        };
        Ok(results.iter().map(shown).collect::<Vec<String>>().join(" "))
    }
}

fn said(error: wasmi::Error) -> String {
    format!("wasmi fails: {error}")
}
