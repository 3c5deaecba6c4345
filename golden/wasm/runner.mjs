// Hands cases to the module and gives back what failed and the summary; the same in node and in a browser.

export function runner(instance) {
  const kerai = instance.exports;
  const output = () => {
    // The memory may have grown, and moved, since the last look.
    const start = kerai.kerai_output() >>> 0;
    return new TextDecoder().decode(new Uint8Array(kerai.memory.buffer, start, kerai.kerai_output_length()));
  };
  return {
    seed: (seed) => kerai.kerai_seed(BigInt.asIntN(64, BigInt(seed))),
    // What failed; undefined where the case passes.
    judge(name, text) {
      const input = new Uint8Array(name.length + text.length);
      input.set(name);
      input.set(text, name.length);
      // Making room may move the memory: it is asked for after.
      const start = kerai.kerai_input(input.length) >>> 0;
      new Uint8Array(kerai.memory.buffer, start, input.length).set(input);
      return kerai.kerai_case(name.length) === 1 ? undefined : output();
    },
    summary: () => ({ good: kerai.kerai_summary() === 1, line: output() }),
  };
}
