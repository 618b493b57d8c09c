//! A chain with real balances and small stand-ins for the other pallets, which write down what they are told.
use crate as pallet_spot_checks;
use crate::Balance;
use frame_support::{
	derive_impl, parameter_types,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::Preservation,
		ConstU128, ConstU32, Hooks,
	},
	weights::Weight,
};
use llmnet_primitives::{
	hash, Calibration, DomainId, Epoch, Ledger, NumericsClass, OnVerdict, Penalize, Randomness, Role, Roster,
	Segment, ServiceSpec, SessionFacts, SessionId, Specs,
};
use sp_core::H256;
use sp_runtime::{AccountId32, BuildStorage, DispatchError};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
};

type Block = frame_system::mocking::MockBlockU32<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type SpotChecks = pallet_spot_checks;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = sp_runtime::traits::IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

pub const EPOCH: u32 = 20;
pub const ROUND: u32 = 5;
pub const RECEIPT: u32 = 4;
pub const REFERENCE: u32 = 6;
pub const LEAVES: u32 = 4;
pub const REVEAL: u32 = 4;
pub const RETENTION: u32 = 40;
pub const MINIMUM_FINE: Balance = 10;
pub const PANEL_REWARD: Balance = 7;
pub const REVIEW: u32 = 12;
pub const DRIFT: u32 = 100;
pub const OUTAGE: u32 = 25;
pub const GRACE: u32 = 3;
pub const JACKPOT: Balance = 70;
pub const LAZY_FINE: Balance = 500;
pub const TASKS: u32 = 4;
/// What everybody owns at first: a bonded account's stake is its balance.
pub const STAKE: Balance = 1_000_000;

parameter_types! {
	pub const TasksPerBlock: u32 = TASKS;
	pub PotAccount: AccountId32 = pot();
}

impl crate::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Pot = PotAccount;
	type ReviewPeriod = ConstU32<REVIEW>;
	type DriftPeriod = ConstU32<DRIFT>;
	type OutagePeriod = ConstU32<OUTAGE>;
	type OutageGrace = ConstU32<GRACE>;
	type Jackpot = ConstU128<JACKPOT>;
	type LazyFine = ConstU128<LAZY_FINE>;
	type Roster = World;
	type Penalize = World;
	type Randomness = World;
	type Specs = World;
	type Ledger = World;
	type OnVerdict = World;
	type EpochLength = ConstU32<EPOCH>;
	type ReceiptPeriod = ConstU32<RECEIPT>;
	type ReferencePeriod = ConstU32<REFERENCE>;
	type LeavesPeriod = ConstU32<LEAVES>;
	type RevealPeriod = ConstU32<REVEAL>;
	type VerdictRetention = ConstU32<RETENTION>;
	type MinimumFine = ConstU128<MINIMUM_FINE>;
	type PanelReward = ConstU128<PANEL_REWARD>;
	type MaxTasksPerBlock = TasksPerBlock;
	type WeightInfo = crate::weights::Measured<Test>;
}

/// What the other pallets were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
	Recorded(AccountId32, SessionId, Epoch),
	Settled(AccountId32, Epoch),
	Forfeited(AccountId32, Balance),
	Paid(AccountId32, Balance),
	Fined(AccountId32, Balance),
	Slashed(AccountId32, Balance),
	Withdrawn(AccountId32),
	Judged(AccountId32, DomainId, Balance, bool),
	Out(AccountId32),
	Restored(AccountId32, Balance),
	Reinstated(AccountId32),
	Readmitted(AccountId32, Balance),
	Forgiven(AccountId32),
}

/// The other pallets' state.
#[derive(Default)]
pub struct Surroundings {
	pub bonds: BTreeMap<AccountId32, Role>,
	pub owners: BTreeMap<AccountId32, AccountId32>,
	pub strikes: BTreeMap<AccountId32, u32>,
	/// What the slashed were before.
	pub slashed: BTreeMap<AccountId32, Role>,
	pub sessions: BTreeMap<SessionId, SessionFacts<AccountId32, Balance>>,
	pub refused_sessions: BTreeSet<SessionId>,
	pub uncleared: BTreeMap<(AccountId32, Epoch), Balance>,
	pub lost_rounds: BTreeSet<u32>,
	pub calibration: Option<Calibration>,
	pub told: Vec<Told>,
}

thread_local! {
	static SURROUNDINGS: RefCell<Surroundings> = RefCell::default();
}

/// The stand-in for all other pallets.
pub struct World;

/// Reads or changes the other pallets' state.
pub fn world<R>(f: impl FnOnce(&mut Surroundings) -> R) -> R {
	SURROUNDINGS.with(|s| f(&mut s.borrow_mut()))
}

/// Writes down what a pallet was told.
fn note(told: Told) {
	world(|w| w.told.push(told));
}

/// What the other pallets were told since the last call.
pub fn told() -> Vec<Told> {
	world(|w| std::mem::take(&mut w.told))
}

pub fn account(n: u8) -> AccountId32 {
	AccountId32::new([n; 32])
}
pub fn worker() -> AccountId32 {
	account(1)
}
pub fn requester() -> AccountId32 {
	account(40)
}
pub fn treasury() -> AccountId32 {
	account(50)
}
pub fn pot() -> AccountId32 {
	account(51)
}
/// The validators of the mock chain: 10, 11, 12.
pub fn validators() -> Vec<AccountId32> {
	(10..13).map(account).collect()
}

impl Roster<AccountId32, Balance> for World {
	fn is_active(who: &AccountId32, role: Role) -> bool {
		world(|w| w.bonds.get(who) == Some(&role))
	}
	fn stake(who: &AccountId32) -> Balance {
		if world(|w| w.bonds.contains_key(who)) {
			Balances::balance(who)
		} else {
			0
		}
	}
	fn owner(who: &AccountId32) -> AccountId32 {
		world(|w| w.owners.get(who).unwrap_or(who).clone())
	}
	fn validators() -> Vec<(AccountId32, Balance)> {
		let is_validator =
			|(who, role): (&AccountId32, &Role)| (*role == Role::Validator).then(|| who.clone());
		let all: Vec<_> = world(|w| w.bonds.iter().filter_map(is_validator).collect());
		all.into_iter().map(|who| (who.clone(), Self::stake(&who))).collect()
	}
	fn strikes(who: &AccountId32) -> u32 {
		let count = |who: &AccountId32| world(|w| w.strikes.get(who).copied().unwrap_or_default());
		count(who).max(count(&Self::owner(who)))
	}
}

/// Takes up to `amount`, pays `shares` as far as it reaches, the rest to the treasury.
fn take(who: &AccountId32, amount: Balance, shares: &[(AccountId32, Balance)]) -> Balance {
	let taken = amount.min(Balances::balance(who));
	let mut rest = taken;
	for (to, share) in shares.iter().chain([(treasury(), Balance::MAX)].iter()) {
		let part = rest.min(*share);
		rest -= part;
		if part > 0 {
			Balances::transfer(who, to, part, Preservation::Expendable).expect("enough is there");
		}
	}
	taken
}

impl Penalize<AccountId32, Balance> for World {
	fn fine(who: &AccountId32, amount: Balance, shares: &[(AccountId32, Balance)]) -> Balance {
		let taken = take(who, amount, shares);
		note(Told::Fined(who.clone(), taken));
		taken
	}
	fn slash(who: &AccountId32, amount: Balance, shares: &[(AccountId32, Balance)]) -> Balance {
		let taken = take(who, amount, shares);
		let owner = World::owner(who);
		world(|w| {
			let role = w.bonds.remove(who).expect("bonded");
			w.slashed.insert(who.clone(), role);
			*w.strikes.entry(owner).or_default() += 1;
		});
		note(Told::Slashed(who.clone(), taken));
		taken
	}
	fn restore(who: &AccountId32, amount: Balance) -> Balance {
		Balances::transfer(&treasury(), who, amount, Preservation::Expendable).expect("the treasury has it");
		note(Told::Restored(who.clone(), amount));
		amount
	}
	fn reinstate(who: &AccountId32) {
		let owner = World::owner(who);
		world(|w| {
			let role = w.slashed.remove(who).expect("slashed");
			w.bonds.insert(who.clone(), role);
			*w.strikes.entry(owner).or_default() -= 1;
		});
		note(Told::Reinstated(who.clone()));
	}
}

/// The value of a round.
pub fn beacon_value(round: u32) -> H256 {
	hash("beacon", &round.to_le_bytes())
}

impl Randomness for World {
	fn current_round() -> u32 {
		System::block_number() / ROUND
	}
	fn value(round: u32) -> Option<H256> {
		let known = round < Self::current_round() && !world(|w| w.lost_rounds.contains(&round));
		known.then(|| beacon_value(round))
	}
}

pub fn spec_id() -> H256 {
	H256::repeat_byte(77)
}

pub fn spec() -> ServiceSpec {
	ServiceSpec {
		name: b"test".to_vec().try_into().expect("short"),
		weights_root: H256::zero(),
		tokenizer_hash: H256::zero(),
		template_hash: H256::zero(),
		graph_hash: H256::zero(),
		sampler_version: 1,
		top_k: 8,
		numerics: NumericsClass::Fp32,
		vocab_size: 1_000,
		context_length: 4_096,
		logit_shift: 9,
		hidden_shift: 9,
	}
}

pub fn calibration() -> Calibration {
	Calibration {
		logit_q95: 50,
		logit_q99: 100,
		hidden_q95: 50,
		hidden_q99: 100,
		tau_sample: 1_000,
		positions: 10_000,
		expires_at: u32::MAX,
	}
}

impl Specs<AccountId32> for World {
	fn spec(id: &H256) -> Option<ServiceSpec> {
		(*id == spec_id()).then(spec)
	}
	fn calibration(id: &H256) -> Option<Calibration> {
		world(|w| w.calibration).filter(|_| *id == spec_id())
	}
	fn withdraw_all(worker: &AccountId32) {
		note(Told::Withdrawn(worker.clone()));
	}
}

impl Ledger<AccountId32, Balance> for World {
	fn facts(session: SessionId) -> Option<SessionFacts<AccountId32, Balance>> {
		world(|w| w.sessions.get(&session).cloned())
	}
	fn record_segment(worker: &AccountId32, segment: &Segment, epoch: Epoch) -> Result<(), DispatchError> {
		let facts = Self::facts(segment.session).filter(|facts| facts.worker == *worker);
		let refused = world(|w| w.refused_sessions.contains(&segment.session));
		if facts.is_none() || refused {
			return Err(DispatchError::Other("the ledger refuses"));
		}
		world(|w| *w.uncleared.entry((worker.clone(), epoch)).or_default() += segment.amount);
		note(Told::Recorded(worker.clone(), segment.session, epoch));
		Ok(())
	}
	fn settle(worker: &AccountId32, epoch: Epoch) {
		world(|w| w.uncleared.remove(&(worker.clone(), epoch)));
		note(Told::Settled(worker.clone(), epoch));
	}
	fn forfeit(worker: &AccountId32) -> Balance {
		let all: Balance =
			world(|w| w.uncleared.iter().filter(|((who, _), _)| who == worker).map(|(_, a)| a).sum());
		world(|w| w.uncleared.retain(|(who, _), _| who != worker));
		note(Told::Forfeited(worker.clone(), all));
		all
	}
	fn readmit(worker: &AccountId32, amount: Balance) -> Balance {
		note(Told::Readmitted(worker.clone(), amount));
		amount
	}
	fn pay_from_pot(validator: &AccountId32, amount: Balance) -> Balance {
		let amount = amount.min(Balances::balance(&pot()));
		Balances::transfer(&pot(), validator, amount, Preservation::Expendable).expect("the pot has it");
		note(Told::Paid(validator.clone(), amount));
		amount
	}
}

impl OnVerdict<AccountId32, Balance> for World {
	fn on_verdict(worker: &AccountId32, domain: DomainId, price: Balance, passed: bool) {
		note(Told::Judged(worker.clone(), domain, price, passed));
	}
	fn on_rating(_: &AccountId32, _: DomainId, _: Balance, _: u8) {
		panic!("spot checks do not rate");
	}
	fn on_slash(worker: &AccountId32) {
		note(Told::Out(worker.clone()));
	}
	fn on_reinstated(worker: &AccountId32) {
		note(Told::Forgiven(worker.clone()));
	}
}

/// Bonds an account that owns the usual stake.
pub fn bond(who: &AccountId32, role: Role) {
	world(|w| w.bonds.insert(who.clone(), role));
}

/// A session of `worker`, with prices of one planck per token.
pub fn open_session(session: SessionId, worker: &AccountId32) {
	let facts = SessionFacts {
		requester: requester(),
		worker: worker.clone(),
		spec: spec_id(),
		domain: 3,
		price_in: 1_000,
		price_out: 1_000,
		seed: Some(H256::repeat_byte(session as u8)),
	};
	world(|w| w.sessions.insert(session, facts));
}

/// Ends this block with `weight` left for idle work, checks the invariants and begins the next block.
pub fn next_block_with(weight: Weight) {
	let now = System::block_number();
	let used = SpotChecks::on_idle(now, weight);
	assert!(used.all_lte(weight), "idle work exceeds its weight");
	SpotChecks::do_try_state().expect("invariants hold");
	System::set_block_number(now + 1);
}

pub fn next_block() {
	next_block_with(Weight::MAX);
}

/// Ends blocks until `block` has begun.
pub fn run_to(block: u32) {
	while System::block_number() < block {
		next_block();
	}
}

/// Runs `test` on a chain with a bonded worker that has sessions 1 and 2, three validators and a filled pot. Afterwards
/// the invariants hold and nothing was minted or burnt.
pub fn build_and_execute(test: impl FnOnce()) {
	world(|w| *w = Surroundings { calibration: Some(calibration()), ..Default::default() });
	let balances = (0..=60).map(|n| (account(n), STAKE)).collect();
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("valid genesis").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		bond(&worker(), Role::Worker);
		validators().iter().for_each(|validator| bond(validator, Role::Validator));
		open_session(1, &worker());
		open_session(2, &worker());
		let issuance = Balances::total_issuance();
		test();
		assert_eq!(Balances::total_issuance(), issuance, "nothing is minted or burnt");
		SpotChecks::do_try_state().expect("invariants hold");
	});
}
