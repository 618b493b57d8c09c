use crate as pallet_registry;
use core::cell::RefCell;
use frame_support::{
	derive_impl,
	traits::{ConstU128, ConstU32},
};
use llmnet_primitives::{Role, Roster};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage};
use std::collections::BTreeSet;

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
	pub type Registry = pallet_registry;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<u128>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = u128;
	type ExistentialDeposit = ConstU128<1>;
	type AccountStore = System;
}

thread_local! {
	static INACTIVE: RefCell<BTreeSet<AccountId32>> = const { RefCell::new(BTreeSet::new()) };
}

/// Accounts 10..=49 are bonded workers, unless retired.
pub struct Bonds;

impl Bonds {
	pub fn retire(who: &AccountId32) {
		INACTIVE.with_borrow_mut(|set| set.insert(who.clone()));
	}
}

impl Roster<AccountId32, u128> for Bonds {
	fn is_active(who: &AccountId32, role: Role) -> bool {
		let bytes: &[u8; 32] = who.as_ref();
		role == Role::Worker && (10..50).contains(&bytes[0]) && !INACTIVE.with_borrow(|set| set.contains(who))
	}
	fn stake(_: &AccountId32) -> u128 {
		0
	}
	fn owner(who: &AccountId32) -> AccountId32 {
		who.clone()
	}
	fn validators() -> Vec<(AccountId32, u128)> {
		Vec::new()
	}
	fn strikes(_: &AccountId32) -> u32 {
		0
	}
}

impl crate::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Roster = Bonds;
	type SpecDeposit = ConstU128<10>;
	type MaxSpecs = ConstU32<3>;
	type SpecRetention = ConstU32<20>;
	type MaxOffersPerSpec = ConstU32<4>;
	type MaxOffersPerWorker = ConstU32<2>;
	type MaxDomains = ConstU32<4>;
	type WeightInfo = ();
}

pub fn account(n: u8) -> AccountId32 {
	AccountId32::new([n; 32])
}

/// Runs `test` on a chain where accounts 1 and 2 own 100 each and domain 0 is "general", then checks the invariants.
pub fn build_and_execute(test: impl FnOnce()) {
	INACTIVE.with_borrow_mut(BTreeSet::clear);
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: vec![(account(1), 100), (account(2), 100)],
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("valid genesis").into();
	ext.execute_with(|| {
		System::set_block_number(1);
		test();
		Registry::do_try_state().expect("invariants hold");
	});
}
