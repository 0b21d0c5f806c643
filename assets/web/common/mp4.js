// An MP4 writer (ISO/IEC 14496-12, and -15 for H.264): one video track, its samples whole in one block behind the index.

const SCALE = 90_000; // ticks of a second

const text = (letters) => new TextEncoder().encode(letters);
const u16 = (value) => Uint8Array.of(value >> 8, value & 255);
const u32 = (...values) => {
  const out = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => out.setUint32(4 * i, value));
  return new Uint8Array(out.buffer);
};

function joined(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { out.set(part, at); at += part.length; }
  return out;
}

const box = (kind, ...parts) => {
  const body = joined(parts);
  return joined([u32(body.length + 8), text(kind), body]);
};
const full = (kind, flags, ...parts) => box(kind, u32(flags), ...parts); // version 0

const UNITY = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const sized = (width, height) => u32(width * 0x10000, height * 0x10000);

/** samples: [{data: Uint8Array, key, seconds}] in order; description: the decoder's record of the stream ("avcC"). */
export function mp4(samples, { width, height, description }) {
  const ticks = samples.map(({ seconds }) => Math.round(seconds * SCALE));
  const whole = ticks.reduce((sum, each) => sum + each, 0);
  const keys = samples.flatMap(({ key }, i) => (key ? [i + 1] : []));
  const head = box("ftyp", text("isom"), u32(512), text("isomiso2avc1mp41"));
  const moov = (offset) => box("moov",
    full("mvhd", 0, u32(0, 0, SCALE, whole, 0x10000), u16(0x100), u16(0), u32(0, 0), UNITY, u32(0, 0, 0, 0, 0, 0, 2)),
    box("trak",
      full("tkhd", 3, u32(0, 0, 1, 0, whole, 0, 0, 0, 0), UNITY, sized(width, height)),
      box("mdia",
        full("mdhd", 0, u32(0, 0, SCALE, whole), u16(0x55c4), u16(0)), // "und": it has no language
        full("hdlr", 0, u32(0), text("vide"), u32(0, 0, 0), text("VideoHandler\0")),
        box("minf", full("vmhd", 1, u32(0, 0)), box("dinf", full("dref", 0, u32(1), full("url ", 1))), box("stbl",
          full("stsd", 0, u32(1), picture(width, height, description)),
          full("stts", 0, u32(ticks.length), u32(...ticks.flatMap((each) => [1, each]))),
          full("stss", 0, u32(keys.length), u32(...keys)),
          full("stsc", 0, u32(1, 1, samples.length, 1)), // all samples are one chunk
          full("stsz", 0, u32(0, samples.length), u32(...samples.map(({ data }) => data.length))),
          full("stco", 0, u32(1, offset)))))));
  const index = moov(head.length + moov(0).length + 8);
  return new Blob([head, index, box("mdat", ...samples.map(({ data }) => data))], { type: "video/mp4" });
}

function picture(width, height, description) {
  return box("avc1", u32(0), u16(0), u16(1), u32(0, 0, 0, 0), u16(width), u16(height), u32(0x480000, 0x480000, 0), u16(1),
    new Uint8Array(32), u16(24), u16(0xffff), box("avcC", description)); // one frame a sample, no compressor's name, 24 bits
}
