import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rapida_tw.rpc.messages import shared_pb2 as _shared_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VaultCredential(_message.Message):
    __slots__ = ("id", "name", "value", "status", "provider", "organizationId", "createdDate", "lastUsedDate", "updatedDate")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    LASTUSEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    value: _struct_pb2.Struct
    status: str
    provider: str
    organizationId: int
    createdDate: _timestamp_pb2.Timestamp
    lastUsedDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., status: _Optional[str] = ..., provider: _Optional[str] = ..., organizationId: _Optional[int] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lastUsedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateProviderCredentialRequest(_message.Message):
    __slots__ = ("credential", "name", "provider")
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    credential: _struct_pb2.Struct
    name: str
    provider: str
    def __init__(self, credential: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., name: _Optional[str] = ..., provider: _Optional[str] = ...) -> None: ...

class DeleteCredentialRequest(_message.Message):
    __slots__ = ("vaultId",)
    VAULTID_FIELD_NUMBER: _ClassVar[int]
    vaultId: int
    def __init__(self, vaultId: _Optional[int] = ...) -> None: ...

class GetCredentialRequest(_message.Message):
    __slots__ = ("vaultId",)
    VAULTID_FIELD_NUMBER: _ClassVar[int]
    vaultId: int
    def __init__(self, vaultId: _Optional[int] = ...) -> None: ...

class GetAllOrganizationCredentialRequest(_message.Message):
    __slots__ = ("paginate", "criterias")
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    def __init__(self, paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ...) -> None: ...

class GetCredentialResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: VaultCredential
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[VaultCredential, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllOrganizationCredentialResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[VaultCredential]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[VaultCredential, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...
