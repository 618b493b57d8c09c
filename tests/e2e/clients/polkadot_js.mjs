// polkadot-js: connects, reads, transfers, follows blocks, comes back after a restart.
// Usage: node polkadot_js.mjs ws://… BLOCKS. Says {"step": "restart"} when the node is to be started anew; prints one
// JSON object at the end; any fault ends with a message and status 1.
import { ApiPromise, WsProvider } from '@polkadot/api';
import { Keyring } from '@polkadot/keyring';
import { cryptoWaitReady } from '@polkadot/util-crypto';

const AMOUNT = 3_000_000_000_000n;

function isTransfer({ event }, source, target) {
  if (event.section !== 'balances' || event.method !== 'Transfer') return false;
  const [from, to, amount] = event.data;
  return from.toString() === source && to.toString() === target && amount.toBigInt() === AMOUNT;
}

/** Submits and resolves with the statuses seen and the final block, once the transfer is final. */
function send(api, source, target) {
  return new Promise((resolve, reject) => {
    const statuses = [];
    api.tx.balances.transferKeepAlive(target, AMOUNT).signAndSend(source, { nonce: -1 }, (result) => {
      statuses.push(result.status.type);
      if (result.dispatchError) reject(new Error(`dispatch failed: ${result.dispatchError}`));
      if (result.isError) reject(new Error(`transaction ended as ${result.status.type}`));
      if (!result.status.isFinalized) return;
      const seen = result.events.some((record) => isTransfer(record, source.address, target));
      if (!seen) reject(new Error('the block has no Transfer event of this transaction'));
      resolve({ statuses, block: result.status.asFinalized.toHex() });
    }).catch(reject);
  });
}

/** The numbers of new heads until `enough` says so. Over a reconnection the library resumes a subscription with a gap. */
function heads(api, enough, { gaps = false } = {}) {
  return new Promise((resolve, reject) => {
    const numbers = [];
    let stop = () => {};
    api.rpc.chain.subscribeNewHeads((head) => {
      const number = head.number.toNumber();
      if (!gaps && numbers.length && number !== numbers.at(-1) + 1) reject(new Error(`${number} after ${numbers.at(-1)}`));
      numbers.push(number);
      if (enough(numbers)) { stop(); resolve(numbers); }
    }).then((end) => { stop = end; }, reject);
  });
}

const connectedAgain = (api) => new Promise((resolve) => api.once('disconnected', () => api.once('connected', resolve)));

async function main(url, count) {
  await cryptoWaitReady();
  const provider = new WsProvider(url, 250, {}, 20_000);
  const api = await ApiPromise.create({ provider, throwOnConnect: true, noInitWarn: true });
  const keys = new Keyring({ type: 'sr25519' });
  const [alice, bob] = ['//Alice', '//Bob'].map((uri) => keys.addFromUri(uri));
  const free = async () => (await api.query.system.account(bob.address)).data.free.toBigInt();
  const before = await free();
  const sent = await send(api, alice, bob.address);
  const gained = (await free()) - before;
  if (gained !== AMOUNT) throw new Error(`the account gained ${gained}, not ${AMOUNT}`);
  const accounts = (await api.query.system.account.entries()).length;
  const numbers = await heads(api, (seen) => seen.length === count);
  const again = connectedAgain(api);
  console.log(JSON.stringify({ step: 'restart' }));
  await again;
  const after = (await heads(api, (seen) => seen.at(-1) > numbers.at(-1) + 5, { gaps: true })).at(-1);
  await send(api, alice, bob.address);
  const chain = (await api.rpc.system.chain()).toString();
  const spec = api.runtimeVersion.specName.toString();
  console.log(JSON.stringify({ step: 'done', chain, spec, accounts, blocks: numbers.length, after, ...sent }));
  await api.disconnect();
}

main(process.argv[2], Number(process.argv[3])).then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });
