"""Statements as banks write them, made for tests."""

from collections.abc import Sequence

CREDIT, DEBIT = "CRDT", "DBIT"
OURS = "DE02120300000000202051"


def camt(*entries: str, version: str = "08", id_: str = "S-1", kind: str = "camt.053") -> bytes:
    """Give a file of one statement."""
    return document(statement(*entries, id_=id_), version=version, kind=kind)


def document(*statements: str, version: str = "08", kind: str = "camt.053") -> bytes:
    space = f"urn:iso:std:iso:20022:tech:xsd:{kind}.001.{version}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M-1</MsgId></GrpHdr>{''.join(statements)}</BkToCstmrStmt></Document>"
    ).encode()


def statement(*entries: str, id_: str = "S-1", page: str = "") -> str:
    pages = f"<StmtPgntn><PgNb>{page}</PgNb></StmtPgntn>" if page else ""
    return (
        f"<Stmt><Id>{id_}</Id>{pages}<Acct><Id><IBAN>{OURS}</IBAN></Id><Ccy>EUR</Ccy></Acct>"
        f"{''.join(entries)}</Stmt>"
    )


def entry(
    amount: str = "12.50", *parts: str, sign: str = CREDIT, currency: str = "EUR",
    status: str = "<Sts><Cd>BOOK</Cd></Sts>", on: str = "2026-11-20", reference: str = "B-1",
    more: str = "", reversal: str = "",
) -> str:  # fmt: skip
    details = f"<NtryDtls>{''.join(parts)}</NtryDtls>" if parts else ""
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{reversal}'
        f"{status}<BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef>"
        f"{details}{more}</Ntry>"
    )


def details(
    text: str | Sequence[str] = "", *, amount: str = "", currency: str = "EUR", name: str = "",
    iban: str = "", structured: str = "", end_to_end: str = "", old: bool = False,
) -> str:  # fmt: skip
    lines = [text] if isinstance(text, str) else text
    told = f"<Nm>{name}</Nm>" if old else f"<Pty><Nm>{name}</Nm></Pty>"
    sum_ = f'<Amt Ccy="{currency}">{amount}</Amt>' if amount else ""
    sum_ = f"<AmtDtls><TxAmt>{sum_}</TxAmt></AmtDtls>" if old and amount else sum_
    creditor = f"<Strd><CdtrRefInf><Ref>{structured}</Ref></CdtrRefInf></Strd>"
    return (
        f"<TxDtls><Refs><EndToEndId>{end_to_end or 'NOTPROVIDED'}</EndToEndId></Refs>{sum_}"
        f"<RltdPties><Dbtr>{told}</Dbtr><DbtrAcct><Id><IBAN>{iban}</IBAN></Id></DbtrAcct>"
        "</RltdPties><RmtInf>"
        f"{''.join(f'<Ustrd>{line}</Ustrd>' for line in lines if line)}"
        f"{creditor if structured else ''}</RmtInf></TxDtls>"
    )
