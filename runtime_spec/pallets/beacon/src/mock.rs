//! A chain with this pallet. Accounts 1 to 4 are active validators with a stake of 100.
use crate as pallet_beacon;
use crate::Balance;
use frame_support::{
	derive_impl,
	traits::{ConstU128, ConstU32, Hooks},
};
use llmnet_primitives::{Penalize, Role, Roster};
use sp_core::H256;
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage};
use std::{cell::RefCell, collections::BTreeMap};

type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Beacon = pallet_beacon;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
}

/// Account number `n`; accounts sort by their numbers.
pub fn account(n: u8) -> AccountId32 {
	AccountId32::new([n; 32])
}

thread_local! {
	static STAKES: RefCell<BTreeMap<AccountId32, Balance>> = const { RefCell::new(BTreeMap::new()) };
}

/// Keeps stakes in a map; who has one is an active validator.
pub struct Stakes;

impl Stakes {
	pub fn set(n: u8, stake: Balance) {
		STAKES.with_borrow_mut(|stakes| stakes.insert(account(n), stake));
	}

	pub fn remove(n: u8) {
		STAKES.with_borrow_mut(|stakes| stakes.remove(&account(n)));
	}

	pub fn of(n: u8) -> Balance {
		<Self as Roster<_, _>>::stake(&account(n))
	}
}

impl Roster<AccountId32, Balance> for Stakes {
	fn is_active(who: &AccountId32, role: Role) -> bool {
		role == Role::Validator && STAKES.with_borrow(|stakes| stakes.contains_key(who))
	}

	fn stake(who: &AccountId32) -> Balance {
		STAKES.with_borrow(|stakes| stakes.get(who).copied().unwrap_or(0))
	}

	fn owner(who: &AccountId32) -> AccountId32 {
		who.clone()
	}

	fn validators() -> Vec<(AccountId32, Balance)> {
		STAKES.with_borrow(|stakes| stakes.clone().into_iter().collect())
	}
	fn strikes(_: &AccountId32) -> u32 {
		0
	}
}

impl Penalize<AccountId32, Balance> for Stakes {
	fn fine(who: &AccountId32, amount: Balance, _: &[(AccountId32, Balance)]) -> Balance {
		STAKES.with_borrow_mut(|stakes| {
			let Some(stake) = stakes.get_mut(who) else { return 0 };
			let taken = amount.min(*stake);
			*stake -= taken;
			taken
		})
	}

	fn slash(who: &AccountId32, amount: Balance, shares: &[(AccountId32, Balance)]) -> Balance {
		Self::fine(who, amount, shares)
	}
	fn restore(_: &AccountId32, _: Balance) -> Balance {
		unreachable!("the beacon gives nothing back")
	}
	fn reinstate(_: &AccountId32) {
		unreachable!("the beacon gives nothing back")
	}
}

pub const COMMIT: u32 = 3;
pub const REVEAL: u32 = 2;
pub const LENGTH: u32 = COMMIT + REVEAL;
pub const KEPT: u32 = 256;
pub const FINE: Balance = 7;

impl crate::Config for Test {
	type Roster = Stakes;
	type Penalize = Stakes;
	type SilenceFine = ConstU128<FINE>;
	type CommitBlocks = ConstU32<COMMIT>;
	type RevealBlocks = ConstU32<REVEAL>;
	type KeptRounds = ConstU32<KEPT>;
	type MaxShares = ConstU32<4>;
	type WeightInfo = ();
}

/// The hash that block `number` is given here.
pub fn block_hash(number: u64) -> H256 {
	H256::from_low_u64_be(number + 1000)
}

/// Runs the chain up to the beginning of block `number`.
pub fn go_to(number: u64) {
	while System::block_number() < number {
		let next = System::block_number() + 1;
		System::initialize(&next, &block_hash(next - 1), &Default::default());
		Beacon::on_initialize(next);
	}
}

/// Runs `test` in block 1, then checks the invariants.
pub fn build_and_execute(test: impl FnOnce()) {
	let storage = RuntimeGenesisConfig::default().build_storage().expect("valid genesis");
	let mut ext: sp_io::TestExternalities = storage.into();
	STAKES.with_borrow_mut(|stakes| stakes.clear());
	(1..=4).for_each(|n| Stakes::set(n, 100));
	ext.execute_with(|| {
		go_to(1);
		test();
		crate::Pallet::<Test>::do_try_state().expect("invariants hold");
	});
}
