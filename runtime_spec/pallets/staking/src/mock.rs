//! A chain with this pallet and balances. Accounts are numbers, see [`account`].
use crate as pallet_staking;
use crate::Balance;
use frame_support::{
	derive_impl,
	traits::{ConstU128, ConstU32, ConstU64},
};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage};

type Block = frame_system::mocking::MockBlock<Test>;

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
	pub type Staking = pallet_staking;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<10>;
}

/// Account number `n`; accounts sort by their numbers.
pub fn account(n: u8) -> AccountId32 {
	AccountId32::new([n; 32])
}

pub const TREASURY: u8 = 250;
pub const PERIOD: u64 = 20;
pub const QUARANTINE: u64 = 30;

pub struct Treasury;
impl frame_support::traits::Get<AccountId32> for Treasury {
	fn get() -> AccountId32 {
		account(TREASURY)
	}
}

impl crate::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type Treasury = Treasury;
	type MinimumWorkerStake = ConstU128<100>;
	type MinimumValidatorStake = ConstU128<200>;
	type UnbondingPeriod = ConstU64<PERIOD>;
	type MaxValidators = ConstU32<3>;
	type Quarantine = ConstU64<QUARANTINE>;
	type MaxStrikes = ConstU32<3>;
	type WeightInfo = ();
}

/// A chain where accounts 1 to 9 own 1,000 each.
pub struct ExtBuilder {
	treasury: Balance,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		Self { treasury: 10 }
	}
}

impl ExtBuilder {
	/// Gives the treasury nothing, so that it does not exist.
	pub fn without_treasury(self) -> Self {
		Self { treasury: 0 }
	}

	/// Runs `test`, then checks that nothing was minted or burnt and the invariants hold.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		let mut balances: Vec<(AccountId32, Balance)> = (1..=9).map(|n| (account(n), 1000)).collect();
		if self.treasury > 0 {
			balances.push((account(TREASURY), self.treasury));
		}
		let config = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
			..Default::default()
		};
		let mut ext: sp_io::TestExternalities = config.build_storage().expect("valid genesis").into();
		ext.execute_with(|| {
			System::set_block_number(1);
			test();
			assert_eq!(Balances::total_issuance(), 9000 + self.treasury, "nothing is minted or burnt");
			crate::Pallet::<Test>::do_try_state().expect("invariants hold");
		});
	}
}
