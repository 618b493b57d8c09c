// polkadot-js's view of keys. Reads one JSON object from standard input:
//   { derive: [{uri, type}], open: [{json, password}], seal: [{uri, type, password}], verify: [{message, signature, address}], sign: [{uri, type, message}] }
// Prints the answers under the same names; bytes are hex.
import { Keyring } from '@polkadot/keyring';
import { hexToU8a, u8aToHex } from '@polkadot/util';
import { cryptoWaitReady, signatureVerify } from '@polkadot/util-crypto';

const told = (pair) => ({ publicKey: u8aToHex(pair.publicKey), address: pair.address, type: pair.type });

async function read(stream) {
  let text = '';
  for await (const part of stream) text += part;
  return JSON.parse(text);
}

async function main() {
  await cryptoWaitReady();
  const asked = await read(process.stdin);
  const keys = new Keyring({ type: 'sr25519', ss58Format: 42 });
  const made = ({ uri, type }) => keys.createFromUri(uri, {}, type);
  const opened = ({ json, password }) => {
    const pair = keys.createFromJson(JSON.parse(json));
    pair.decodePkcs8(password);
    return { ...told(pair), name: pair.meta.name };
  };
  console.log(JSON.stringify({
    derive: asked.derive.map((one) => told(made(one))),
    open: asked.open.map(opened),
    seal: asked.seal.map((one) => JSON.stringify(made(one).toJson(one.password))),
    sign: asked.sign.map((one) => u8aToHex(made(one).sign(hexToU8a(one.message)))),
    verify: asked.verify.map(({ message, signature, address }) => signatureVerify(hexToU8a(message), hexToU8a(signature), address).isValid),
  }));
}

main().then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });
