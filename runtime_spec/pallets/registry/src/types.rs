//! What the registry stores.
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use llmnet_primitives::{DomainId, ServiceSpec};
use scale_info::TypeInfo;
use sp_core::H256;

/// The longest endpoint in bytes.
pub const MAX_ENDPOINT: u32 = 128;
/// The longest name of a domain in bytes.
pub const MAX_DOMAIN_NAME: u32 = 64;
/// The most domains of one offer.
pub const MAX_OFFER_DOMAINS: u32 = 8;

/// Where a worker is reached: an `http://` or `https://` address.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT>>;
/// The name of a domain, UTF-8.
pub type DomainName = BoundedVec<u8, ConstU32<MAX_DOMAIN_NAME>>;
/// The domains of an offer.
pub type OfferDomains = BoundedVec<DomainId, ConstU32<MAX_OFFER_DOMAINS>>;

/// A registered spec and who pays for its place.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SpecRecord<AccountId, Balance, BlockNumber> {
	/// The spec.
	pub spec: ServiceSpec,
	/// Who registered it.
	pub depositor: AccountId,
	/// What is held of the depositor's balance.
	pub deposit: Balance,
	/// How many offers name it.
	pub offers: u32,
	/// The block in which the last offer was withdrawn, while there is none.
	pub idle_since: Option<BlockNumber>,
}

/// A node of the domain tree.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Domain {
	/// The name, UTF-8.
	pub name: DomainName,
	/// The domain above, if any.
	pub parent: Option<DomainId>,
}

/// What a worker offers for one spec.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Offer<Balance, BlockNumber> {
	/// Where the worker is reached.
	pub endpoint: Endpoint,
	/// Plancks per 1,000 prompt tokens.
	pub price_in: Balance,
	/// Plancks per 1,000 output tokens.
	pub price_out: Balance,
	/// The domains answered, without repeats.
	pub domains: OfferDomains,
	/// Hash of the policy text that the worker serves under `/v1/policy`.
	pub policy_digest: H256,
	/// How many answers the worker computes at a time.
	pub capacity: u32,
	/// Counts the changes of this offer, from 1.
	pub version: u32,
	/// The block of the last change.
	pub updated_at: BlockNumber,
}
