"""Signatures of the vectors: sr25519 is randomised, so they were made once, with throw-away keys, and are
kept.
"""

from __future__ import annotations

# account, name, genesis hash, payload, signature
SIGNED = tuple(
    (bytes.fromhex(account), name, bytes.fromhex(genesis), bytes.fromhex(payload), bytes.fromhex(signature))
    for account, name, genesis, payload, signature in (
        (
            "9cfa39a85b1e18f118aa717f4e1e345eb385e8b90ab10b8fbc7fbc8af36a1837",
            "request",
            "559d79093fa6920592b682d42e675ce1508efec780e00993dbad33bebbe1fbcb",
            "07000000000000000000000004011448656c6c6f00011000000000",
            "5493dac4e42396076b556c1cbd9ad1f78ffae3d92280084594ce0347e1bff61a"
            "d1ae0b24c15f9b5c8d5694c5a0218c79f43efe2edaed16b75362c825c3876c8c",
        ),
        (
            "e431c59740d3704d4cd8e79e2c48a32e838279c1fc59b03b8625a067d5d13f26",
            "receipt",
            "4cc0caac6cc738262850426a8102ed11a17faa26ccb6a9c233768c81141b020b",
            "616e79206279746573",
            "a21f5091d7152cbe3f9c9a90594542b73e474dbad31bba217b4a4d02a0c3e113"
            "00216daeff756f2e89edb63b16e1a36569a3a15dc1f3ca256fa8736f1cae6088",
        ),
        (
            "7af5aee74235f40bbb59490034973985a04632769bdd3d12e85d47f651e36e42",
            "voucher",
            "08b4059901a060dab78ec9c092fef32e33451ebcc5b9ebf036770296141b83a2",
            "07000000000000000010a5d4e8000000000000000000000003000000",
            "c00a8602a02f95ad8a84c07bb69feecae778f384ac582ea466eebd7d02266c5b"
            "57ccae2010bc939b39d063438ea38acde110a2ce74022b31f9126c47fe500e86",
        ),
        (
            "68495a0c3cdd77c80108a5e2e84e9f7323f5aef0cc4dcf21da479f4edf4b7e70",
            "fetch",
            "d932d27e5d7e0d075dc9855c63dd9f63df30ed04f8b85a3e412cb3e0328fac30",
            "29000000",
            "dc8978dd81aaa1548836fc707cc39865220b6eec9c424ae8c350b8b1da9bf06e"
            "7dcf4cbe3ebfa7188d5594d34317af870e219d1da8f6f024f2928708f438fc89",
        ),
    )
)
