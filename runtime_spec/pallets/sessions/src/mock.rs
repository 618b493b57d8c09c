use crate as pallet_sessions;
use core::cell::RefCell;
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU32, Hooks},
	weights::Weight,
};
use llmnet_primitives::{DomainId, Offers, OnVerdict, Randomness, Role, Roster, Terms};
use sp_core::{sr25519, Pair, H256};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, Permill};

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
	pub type Sessions = pallet_sessions;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<u128>;
}

/// The existential deposit.
pub const ED: u128 = 10;
/// What each named account owns at the start.
pub const ENDOWMENT: u128 = 100_000;
/// The length of a beacon round in blocks.
pub const ROUND: u32 = 6;

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<ED>;
	type AccountStore = System;
}

parameter_types! {
	pub Treasury: AccountId32 = AccountId32::new([0xfe; 32]);
	pub Pot: AccountId32 = AccountId32::new([0xff; 32]);
	pub const Fee: Permill = Permill::from_percent(2);
}

/// Requesters: the account is a public key.
pub fn requester(n: u8) -> AccountId32 {
	pair(n).public().into()
}

pub fn pair(n: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[n; 32])
}

/// Workers.
pub fn worker(n: u8) -> AccountId32 {
	AccountId32::new([0x80 + n; 32])
}

/// All accounts that money can reach.
pub fn everybody() -> Vec<AccountId32> {
	let mut all: Vec<_> = (0..2).flat_map(|n| [requester(n), worker(n)]).collect();
	all.extend([Treasury::get(), Pot::get(), validator()]);
	all
}

pub fn validator() -> AccountId32 {
	AccountId32::new([0xaa; 32])
}

/// Worker 9 belongs to requester 0; everybody else to itself.
pub struct Owners;

impl Roster<AccountId32, u128> for Owners {
	fn is_active(_: &AccountId32, _: Role) -> bool {
		true
	}
	fn stake(_: &AccountId32) -> u128 {
		0
	}
	fn owner(who: &AccountId32) -> AccountId32 {
		if *who == worker(9) {
			requester(0)
		} else {
			who.clone()
		}
	}
	fn validators() -> Vec<(AccountId32, u128)> {
		Vec::new()
	}
	fn strikes(_: &AccountId32) -> u32 {
		0
	}
}

/// Workers 0, 1 and 9 and, so that dealing with oneself can be tried, requester 0 offer spec 1 in domain 0.
pub struct PriceList;

impl Offers<AccountId32, u128> for PriceList {
	fn terms(who: &AccountId32, spec: &H256) -> Option<Terms<u128>> {
		let known = [worker(0), worker(1), worker(9), requester(0)].contains(who) && *spec == spec_id();
		known.then(|| Terms { price_in: 100, price_out: 200, domains: vec![0] })
	}
}

pub fn spec_id() -> H256 {
	H256::repeat_byte(1)
}

thread_local! {
	static OLDEST: RefCell<u32> = const { RefCell::new(0) };
	static RATINGS: RefCell<Vec<(AccountId32, u128, u8)>> = const { RefCell::new(Vec::new()) };
}

/// A beacon whose round changes every `ROUND` blocks; round `r` has the value `[r; 32]`.
pub struct Beacon;

impl Beacon {
	/// Forgets all values before `round`.
	pub fn forget_before(round: u32) {
		OLDEST.with_borrow_mut(|oldest| *oldest = round);
	}
}

impl Randomness for Beacon {
	fn current_round() -> u32 {
		System::block_number() / ROUND
	}
	fn value(round: u32) -> Option<H256> {
		let kept = OLDEST.with_borrow(|oldest| round >= *oldest);
		(kept && round < Self::current_round()).then(|| H256::repeat_byte(round as u8))
	}
}

/// Remembers the ratings.
pub struct Ratings;

impl Ratings {
	pub fn all() -> Vec<(AccountId32, u128, u8)> {
		RATINGS.with_borrow(Vec::clone)
	}
}

impl OnVerdict<AccountId32, u128> for Ratings {
	fn on_verdict(_: &AccountId32, _: DomainId, _: u128, _: bool) {
		unreachable!("sessions judge nobody")
	}
	fn on_rating(worker: &AccountId32, _: DomainId, price: u128, stars: u8) {
		RATINGS.with_borrow_mut(|all| all.push((worker.clone(), price, stars)));
	}
	fn on_slash(_: &AccountId32) {
		unreachable!("sessions slash nobody")
	}
	fn on_reinstated(_: &AccountId32) {
		unreachable!("sessions reinstate nobody")
	}
}

impl crate::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Roster = Owners;
	type Offers = PriceList;
	type Randomness = Beacon;
	type Ratings = Ratings;
	type Treasury = Treasury;
	type Pot = Pot;
	type Fee = Fee;
	type MinEscrow = ConstU128<100>;
	type MinDuration = ConstU32<5>;
	type MaxDuration = ConstU32<1_000>;
	type ClaimWindow = ConstU32<20>;
	type Retention = ConstU32<50>;
	type MaxOpenSessions = ConstU32<4>;
	type WeightInfo = ();
}

/// Ends the block with `weight` left and begins the next.
pub fn next_block_with(weight: u64) {
	let now = System::block_number();
	Sessions::on_idle(now, Weight::from_parts(weight, u64::MAX));
	System::set_block_number(now + 1);
}

/// Ends blocks until the current one is `block`.
pub fn run_to(block: u32) {
	while System::block_number() < block {
		next_block_with(u64::MAX);
	}
}

/// Runs `test` on a chain at block 1 where everybody but the validator is endowed, then checks the invariants.
pub fn build_and_execute(test: impl FnOnce()) {
	Beacon::forget_before(0);
	RATINGS.with_borrow_mut(Vec::clear);
	let balances = everybody().into_iter().filter(|who| *who != validator());
	let balances = balances.map(|who| if who == Pot::get() { (who, ED) } else { (who, ENDOWMENT) }).collect();
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("valid genesis").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		let issuance = Balances::total_issuance();
		test();
		Sessions::do_try_state().expect("invariants hold");
		assert_eq!(Balances::total_issuance(), issuance, "issuance is constant");
	});
}
