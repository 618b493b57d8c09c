// Connects with polkadot-js, reads an account, sends a transfer and waits for its event. Usage: node transfer.mjs ws://…
// Prints one JSON object; any fault ends with a message and status 1.
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
    api.tx.balances.transferKeepAlive(target, AMOUNT).signAndSend(source, (result) => {
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

async function main(url) {
  await cryptoWaitReady();
  const provider = new WsProvider(url, 1000, {}, 20_000);
  const api = await ApiPromise.create({ provider, throwOnConnect: true, noInitWarn: true });
  const keys = new Keyring({ type: 'sr25519' });
  const [alice, bob] = ['//Alice', '//Bob'].map((uri) => keys.addFromUri(uri));
  const free = async () => (await api.query.system.account(bob.address)).data.free.toBigInt();
  const heads = [];
  const stop = await api.rpc.chain.subscribeNewHeads((head) => heads.push(head.number.toNumber()));
  const before = await free();
  const sent = await send(api, alice, bob.address);
  stop();
  const gained = (await free()) - before;
  if (gained !== AMOUNT) throw new Error(`the account gained ${gained}, not ${AMOUNT}`);
  const chain = (await api.rpc.system.chain()).toString();
  console.log(JSON.stringify({ chain, spec: api.runtimeVersion.specName.toString(), heads: heads.length, ...sent }));
  await api.disconnect();
}

main(process.argv[2]).then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });
