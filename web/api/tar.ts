/**
 * A POSIX ustar archive of text files, in the order given. Times are zero and the owner is root, so that equal files give
 * equal bytes.
 *
 *     name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | checksum 8 | type 1 | link 100 | "ustar\0" "00" | ... | prefix 155
 *
 * @throws {RangeError} If a path is too long for the format (100 bytes after at most 155 of folders).
 */
export function tarOf(files: readonly { readonly path: string; readonly text: string }[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, text } of files) {
    const body = Buffer.from(text, "utf8");
    blocks.push(tarHeader(path, body.length), body, Buffer.alloc((512 - (body.length % 512)) % 512));
  }
  blocks.push(Buffer.alloc(1024));
  return Buffer.concat(blocks);
}

function splitPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: "", name: path };
  for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  throw new RangeError(`Cannot archive "${path}": wanted at most 100 bytes after at most 155 bytes of folders`);
}

function tarHeader(path: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  const { prefix, name } = splitPath(path);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\0", 257);
  header.write("00", 263);
  header.write("root", 265);
  header.write("root", 297);
  header.write(prefix, 345);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
