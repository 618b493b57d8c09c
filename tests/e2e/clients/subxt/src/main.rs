//! subxt: connects, reads, transfers, follows blocks, comes back after a restart of the node.
//! Usage: subxt-client ws://… BLOCKS. Says {"step": "restart"} when the node is to be started anew; prints one JSON
//! object at the end; any fault ends with a message and status 1.

use std::{error::Error, process::ExitCode, time::Duration};

use scale_decode::DecodeAsType;
use subxt::{
	dynamic::{self, Value},
	rpcs::client::{ReconnectingRpcClient, RpcClient},
	OnlineClient, PolkadotConfig,
};
use subxt_signer::sr25519::{dev, Keypair};

type Api = OnlineClient<PolkadotConfig>;
type Outcome<T> = Result<T, Box<dyn Error>>;

const AMOUNT: u128 = 3_000_000_000_000;
const LIMIT: Duration = Duration::from_secs(60);

#[derive(DecodeAsType)]
struct Account {
	data: AccountData,
}

#[derive(DecodeAsType)]
struct AccountData {
	free: u128,
}

#[derive(DecodeAsType)]
struct Version {
	spec_name: String,
}

async fn free(api: &Api, account: &Keypair) -> Outcome<u128> {
	let address = dynamic::storage::<([u8; 32],), Account>("System", "Account");
	let at = api.at_current_block().await?;
	Ok(at.storage().fetch(address, (account.public_key().0,)).await?.decode()?.data.free)
}

/// Sends a transfer, waits until it is final, and checks its event and its effect.
async fn transfer(api: &Api, source: &Keypair, target: &Keypair) -> Outcome<()> {
	let before = free(api, target).await?;
	let call = dynamic::transaction(
		"Balances",
		"transfer_keep_alive",
		(target.public_key().to_address::<()>(), AMOUNT),
	);
	let at = api.at_current_block().await?;
	let sent = at.transactions().sign_and_submit_then_watch_default(&call, source).await?;
	let events = sent.wait_for_finalized_success().await?;
	let mut seen = false;
	for event in events.iter() {
		let event = event?;
		seen |= event.pallet_name() == "Balances" && event.event_name() == "Transfer";
	}
	let gained = free(api, target).await? - before;
	if !seen || gained != AMOUNT {
		return Err(format!("Transfer event seen: {seen}; the account gained {gained}").into());
	}
	Ok(())
}

/// The numbers of finalized blocks until `enough` says so, checked to be without a gap.
async fn blocks(api: &Api, enough: impl Fn(&[u64]) -> bool) -> Outcome<Vec<u64>> {
	let mut stream = api.stream_blocks().await?;
	let mut numbers: Vec<u64> = Vec::new();
	while !enough(&numbers) {
		let number = stream.next().await.ok_or("the stream of blocks ended")??.number();
		if numbers.last().is_some_and(|last| number != last + 1) {
			return Err(format!("{number} after {numbers:?}").into());
		}
		numbers.push(number);
	}
	Ok(numbers)
}

/// Waits until a block higher than `number` is seen again; a stream that breaks is begun anew.
async fn block_after(api: &Api, number: u64) -> Outcome<u64> {
	loop {
		match blocks(api, |seen| seen.last().is_some_and(|last| *last > number)).await {
			Ok(seen) => return Ok(*seen.last().ok_or("no block")?),
			Err(error) => eprintln!("the stream broke: {error}"),
		}
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
}

async fn run(url: &str, count: usize) -> Outcome<()> {
	let client = RpcClient::new(ReconnectingRpcClient::builder().build(url).await?);
	let api = Api::from_rpc_client(client.clone()).await?;
	let (alice, bob) = (dev::alice(), dev::bob());
	let chain: String = client.request("system_chain", Default::default()).await?;
	let at = api.at_current_block().await?;
	let spec = at.constants().entry(dynamic::constant::<Version>("System", "Version"))?.spec_name;
	transfer(&api, &alice, &bob).await?;
	let entries = dynamic::storage::<(Value,), Account>("System", "Account");
	let mut found = at.storage().iter(entries, ()).await?;
	let mut accounts = 0;
	while let Some(entry) = found.next().await {
		entry?;
		accounts += 1;
	}
	let numbers = blocks(&api, |seen| seen.len() == count).await?;
	println!("{{\"step\": \"restart\"}}");
	let last = *numbers.last().ok_or("no blocks")?;
	let after = tokio::time::timeout(LIMIT, block_after(&api, last + 5)).await??;
	transfer(&api, &alice, &bob).await?;
	println!(
        "{{\"step\": \"done\", \"chain\": {chain:?}, \"spec\": {spec:?}, \"accounts\": {accounts}, \"blocks\": {}, \"after\": {after}}}",
        numbers.len()
    );
	Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
	let arguments: Vec<String> = std::env::args().collect();
	let [_, url, count] = arguments.as_slice() else {
		eprintln!("usage: subxt-client URL BLOCKS");
		return ExitCode::from(2);
	};
	match run(url, count.parse().unwrap_or(50)).await {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("{error}");
			ExitCode::FAILURE
		}
	}
}
