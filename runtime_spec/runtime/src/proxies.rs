//! What an account may let another account do for it.
use crate::RuntimeCall;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::InstanceFilter;
use scale_info::TypeInfo;

/// What a proxy may do for the account that named it. Each kind may do no more than the one before it.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	#[codec(index = 0)]
	Any,
	/// Everything by which no money can come into other hands: roles, offers, audits, but no transfers, no escrow and
	/// no further proxies.
	#[codec(index = 1)]
	NonTransfer,
	/// What the daemons of a worker or a validator do day by day: offers, heartbeats, claims, batches, audits and the
	/// beacon, but nothing about the stake.
	#[codec(index = 2)]
	Work,
}

/// The calls that the daemons of workers and validators make. `true` for calls of root too: they check their origin.
fn is_work(call: &RuntimeCall) -> bool {
	use pallet_registry::Call as Registry;
	use pallet_sessions::Call as Sessions;
	match call {
		// What a batch holds passes the filter again, call by call.
		RuntimeCall::Utility(..) | RuntimeCall::SpotChecks(..) | RuntimeCall::Beacon(..) => true,
		RuntimeCall::Registry(call) => {
			matches!(
				call,
				Registry::put_offer { .. } | Registry::withdraw_offer { .. } | Registry::heartbeat { .. }
			)
		}
		RuntimeCall::Sessions(call) => {
			matches!(
				call,
				Sessions::claim { .. } | Sessions::close { .. } | Sessions::close_with_voucher { .. }
			)
		}
		_ => false,
	}
}

/// The calls that leave an account's money where it is, on hold or not.
fn moves_nothing(call: &RuntimeCall) -> bool {
	is_work(call)
		|| matches!(
			call,
			RuntimeCall::System(..)
				| RuntimeCall::Staking(..)
				| RuntimeCall::Registry(..)
				| RuntimeCall::Sessions(pallet_sessions::Call::rate { .. })
		)
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			Self::NonTransfer => moves_nothing(call),
			Self::Work => is_work(call),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		self <= other
	}
}
