// polkadot-api, which speaks chainHead_v1: connects, reads, transfers, follows blocks, comes back after a restart.
// Usage: node papi.mjs ws://… BLOCKS. Says {"step": "restart"} when the node is to be started anew; prints one
// JSON object at the end; any fault ends with a message and status 1.
import { createClient, Enum } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import { Keyring } from '@polkadot/keyring';
import { WebSocket } from '@polkadot/x-ws';
import { cryptoWaitReady } from '@polkadot/util-crypto';

const AMOUNT = 3_000_000_000_000n;

/** The numbers of `count` finalized blocks, without a gap, from the present one on. */
function blocks(client, count) {
  return new Promise((resolve, reject) => {
    const numbers = [];
    const stream = client.finalizedBlock$.subscribe({
      next(block) {
        const last = numbers.at(-1);
        if (last !== undefined && block.number !== last + 1) reject(new Error(`${block.number} after ${last}`));
        numbers.push(block.number);
        if (numbers.length === count) {
          queueMicrotask(() => stream.unsubscribe());
          resolve(numbers);
        }
      },
      error: reject,
    });
  });
}

/** The first finalized block that is higher than `number`. */
function blockAfter(client, number) {
  return new Promise((resolve, reject) => {
    const stream = client.finalizedBlock$.subscribe({
      next(block) {
        if (block.number <= number) return;
        queueMicrotask(() => stream.unsubscribe());
        resolve(block.number);
      },
      error: reject,
    });
  });
}

async function transfer(api, source, target) {
  const signer = getPolkadotSigner(source.publicKey, 'Sr25519', (input) => source.sign(input));
  const call = api.tx.Balances.transfer_keep_alive({ dest: Enum('Id', target.address), value: AMOUNT });
  const done = await call.signAndSubmit(signer);
  if (!done.ok) throw new Error(`dispatch failed: ${JSON.stringify(done.dispatchError)}`);
  const seen = done.events.some(({ type, value }) =>
    type === 'Balances' && value.type === 'Transfer' && value.value.to === target.address && value.value.amount === AMOUNT);
  if (!seen) throw new Error('the block has no Transfer event of this transaction');
  return done.block.hash;
}

async function main(url, count) {
  await cryptoWaitReady();
  const client = createClient(getWsProvider(url, { websocketClass: WebSocket }));
  const api = client.getUnsafeApi();
  const keys = new Keyring({ type: 'sr25519', ss58Format: 42 });
  const [alice, bob] = ['//Alice', '//Bob'].map((uri) => keys.addFromUri(uri));
  const { name } = await client.getChainSpecData();
  const version = await api.constants.System.Version();
  const free = async () => (await api.query.System.Account.getValue(bob.address)).data.free;
  const before = await free();
  const block = await transfer(api, alice, bob);
  const gained = (await free()) - before;
  if (gained !== AMOUNT) throw new Error(`the account gained ${gained}, not ${AMOUNT}`);
  const accounts = (await api.query.System.Account.getEntries()).length;
  const numbers = await blocks(client, count);
  console.log(JSON.stringify({ step: 'restart' }));
  const after = await blockAfter(client, numbers.at(-1) + 5);
  await transfer(api, alice, bob);
  console.log(JSON.stringify({ step: 'done', chain: name, spec: version.spec_name, block, accounts, blocks: numbers.length, after }));
  client.destroy();
}

main(process.argv[2], Number(process.argv[3])).then(() => process.exit(0), (error) => { console.error(error.message ?? error); process.exit(1); });
