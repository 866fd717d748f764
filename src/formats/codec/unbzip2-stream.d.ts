// The package brings no types: a `through` stream, synchronous, that takes and emits buffers.
declare module 'unbzip2-stream' {
  interface Unbzip2 {
    write(chunk: Uint8Array): boolean;
    end(): void;
    on(event: 'data', listener: (chunk: Buffer) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }
  export default function unbzip2(): Unbzip2;
}
