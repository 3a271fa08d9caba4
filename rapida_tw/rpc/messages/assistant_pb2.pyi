import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rapida_tw.rpc.messages import deployment_pb2 as _deployment_pb2
from rapida_tw.rpc.messages import shared_pb2 as _shared_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Assistant(_message.Message):
    __slots__ = ("id", "status", "visibility", "source", "sourceIdentifier", "projectId", "organizationId", "assistantProvider", "assistantProviderId", "name", "description", "assistantTag", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate", "debuggerDeployment", "phoneDeployment", "whatsappDeployment", "webPluginDeployment", "apiDeployment", "assistantConversations", "assistantWebhooks", "assistantTools", "assistantTelemetryProviders", "assistantAuthentication", "assistantProviderModel", "assistantProviderAgentkit", "assistantProviderWebsocket")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCEIDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDER_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTTAG_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    DEBUGGERDEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    PHONEDEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    WHATSAPPDEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    WEBPLUGINDEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    APIDEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTCONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTWEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTTOOLS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTTELEMETRYPROVIDERS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTAUTHENTICATION_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERMODEL_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERAGENTKIT_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERWEBSOCKET_FIELD_NUMBER: _ClassVar[int]
    id: int
    status: str
    visibility: str
    source: str
    sourceIdentifier: int
    projectId: int
    organizationId: int
    assistantProvider: str
    assistantProviderId: int
    name: str
    description: str
    assistantTag: _shared_pb2.Tag
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    debuggerDeployment: _deployment_pb2.AssistantDebuggerDeployment
    phoneDeployment: _deployment_pb2.AssistantPhoneDeployment
    whatsappDeployment: _deployment_pb2.AssistantWhatsappDeployment
    webPluginDeployment: _deployment_pb2.AssistantWebpluginDeployment
    apiDeployment: _deployment_pb2.AssistantApiDeployment
    assistantConversations: _containers.RepeatedCompositeFieldContainer[_shared_pb2.AssistantConversation]
    assistantWebhooks: _containers.RepeatedCompositeFieldContainer[AssistantWebhook]
    assistantTools: _containers.RepeatedCompositeFieldContainer[AssistantTool]
    assistantTelemetryProviders: _containers.RepeatedCompositeFieldContainer[AssistantTelemetryProvider]
    assistantAuthentication: AssistantAuthentication
    assistantProviderModel: AssistantProviderModel
    assistantProviderAgentkit: AssistantProviderAgentkit
    assistantProviderWebsocket: AssistantProviderWebsocket
    def __init__(self, id: _Optional[int] = ..., status: _Optional[str] = ..., visibility: _Optional[str] = ..., source: _Optional[str] = ..., sourceIdentifier: _Optional[int] = ..., projectId: _Optional[int] = ..., organizationId: _Optional[int] = ..., assistantProvider: _Optional[str] = ..., assistantProviderId: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., assistantTag: _Optional[_Union[_shared_pb2.Tag, _Mapping]] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., debuggerDeployment: _Optional[_Union[_deployment_pb2.AssistantDebuggerDeployment, _Mapping]] = ..., phoneDeployment: _Optional[_Union[_deployment_pb2.AssistantPhoneDeployment, _Mapping]] = ..., whatsappDeployment: _Optional[_Union[_deployment_pb2.AssistantWhatsappDeployment, _Mapping]] = ..., webPluginDeployment: _Optional[_Union[_deployment_pb2.AssistantWebpluginDeployment, _Mapping]] = ..., apiDeployment: _Optional[_Union[_deployment_pb2.AssistantApiDeployment, _Mapping]] = ..., assistantConversations: _Optional[_Iterable[_Union[_shared_pb2.AssistantConversation, _Mapping]]] = ..., assistantWebhooks: _Optional[_Iterable[_Union[AssistantWebhook, _Mapping]]] = ..., assistantTools: _Optional[_Iterable[_Union[AssistantTool, _Mapping]]] = ..., assistantTelemetryProviders: _Optional[_Iterable[_Union[AssistantTelemetryProvider, _Mapping]]] = ..., assistantAuthentication: _Optional[_Union[AssistantAuthentication, _Mapping]] = ..., assistantProviderModel: _Optional[_Union[AssistantProviderModel, _Mapping]] = ..., assistantProviderAgentkit: _Optional[_Union[AssistantProviderAgentkit, _Mapping]] = ..., assistantProviderWebsocket: _Optional[_Union[AssistantProviderWebsocket, _Mapping]] = ...) -> None: ...

class GetAssistantRequest(_message.Message):
    __slots__ = ("assistantDefinition",)
    ASSISTANTDEFINITION_FIELD_NUMBER: _ClassVar[int]
    assistantDefinition: _shared_pb2.AssistantDefinition
    def __init__(self, assistantDefinition: _Optional[_Union[_shared_pb2.AssistantDefinition, _Mapping]] = ...) -> None: ...

class GetAssistantResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: Assistant
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[Assistant, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantRequest(_message.Message):
    __slots__ = ("paginate", "criterias")
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    def __init__(self, paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ...) -> None: ...

class GetAllAssistantResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[Assistant]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[Assistant, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class CreateAssistantRequest(_message.Message):
    __slots__ = ("assistantProvider", "assistantKnowledges", "assistantTools", "description", "visibility", "language", "source", "sourceIdentifier", "tags", "name")
    ASSISTANTPROVIDER_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTKNOWLEDGES_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTTOOLS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SOURCEIDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    assistantProvider: CreateAssistantProviderRequest
    assistantKnowledges: _containers.RepeatedCompositeFieldContainer[CreateAssistantKnowledgeRequest]
    assistantTools: _containers.RepeatedCompositeFieldContainer[CreateAssistantToolRequest]
    description: str
    visibility: str
    language: str
    source: str
    sourceIdentifier: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    name: str
    def __init__(self, assistantProvider: _Optional[_Union[CreateAssistantProviderRequest, _Mapping]] = ..., assistantKnowledges: _Optional[_Iterable[_Union[CreateAssistantKnowledgeRequest, _Mapping]]] = ..., assistantTools: _Optional[_Iterable[_Union[CreateAssistantToolRequest, _Mapping]]] = ..., description: _Optional[str] = ..., visibility: _Optional[str] = ..., language: _Optional[str] = ..., source: _Optional[str] = ..., sourceIdentifier: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ..., name: _Optional[str] = ...) -> None: ...

class CreateAssistantTagRequest(_message.Message):
    __slots__ = ("assistantId", "tags")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, assistantId: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateAssistantDetailRequest(_message.Message):
    __slots__ = ("assistantId", "name", "description")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    name: str
    description: str
    def __init__(self, assistantId: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class DeleteAssistantRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class UpdateAssistantVersionRequest(_message.Message):
    __slots__ = ("assistantId", "assistantProviderId", "assistantProvider")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDER_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    assistantProviderId: int
    assistantProvider: str
    def __init__(self, assistantId: _Optional[int] = ..., assistantProviderId: _Optional[int] = ..., assistantProvider: _Optional[str] = ...) -> None: ...

class CreateAssistantProviderRequest(_message.Message):
    __slots__ = ("assistantId", "description", "model", "agentkit", "websocket")
    class CreateAssistantProviderModel(_message.Message):
        __slots__ = ("template", "modelProviderName", "assistantModelOptions")
        TEMPLATE_FIELD_NUMBER: _ClassVar[int]
        MODELPROVIDERNAME_FIELD_NUMBER: _ClassVar[int]
        ASSISTANTMODELOPTIONS_FIELD_NUMBER: _ClassVar[int]
        template: _shared_pb2.TextChatCompletePrompt
        modelProviderName: str
        assistantModelOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
        def __init__(self, template: _Optional[_Union[_shared_pb2.TextChatCompletePrompt, _Mapping]] = ..., modelProviderName: _Optional[str] = ..., assistantModelOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ...) -> None: ...
    class CreateAssistantProviderAgentkit(_message.Message):
        __slots__ = ("agentKitUrl", "certificate", "metadata")
        class MetadataEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        AGENTKITURL_FIELD_NUMBER: _ClassVar[int]
        CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
        METADATA_FIELD_NUMBER: _ClassVar[int]
        agentKitUrl: str
        certificate: str
        metadata: _containers.ScalarMap[str, str]
        def __init__(self, agentKitUrl: _Optional[str] = ..., certificate: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...
    class CreateAssistantProviderWebsocket(_message.Message):
        __slots__ = ("websocketUrl", "headers", "connectionParameters")
        class HeadersEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        class ConnectionParametersEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: str
            def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
        WEBSOCKETURL_FIELD_NUMBER: _ClassVar[int]
        HEADERS_FIELD_NUMBER: _ClassVar[int]
        CONNECTIONPARAMETERS_FIELD_NUMBER: _ClassVar[int]
        websocketUrl: str
        headers: _containers.ScalarMap[str, str]
        connectionParameters: _containers.ScalarMap[str, str]
        def __init__(self, websocketUrl: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., connectionParameters: _Optional[_Mapping[str, str]] = ...) -> None: ...
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    AGENTKIT_FIELD_NUMBER: _ClassVar[int]
    WEBSOCKET_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    description: str
    model: CreateAssistantProviderRequest.CreateAssistantProviderModel
    agentkit: CreateAssistantProviderRequest.CreateAssistantProviderAgentkit
    websocket: CreateAssistantProviderRequest.CreateAssistantProviderWebsocket
    def __init__(self, assistantId: _Optional[int] = ..., description: _Optional[str] = ..., model: _Optional[_Union[CreateAssistantProviderRequest.CreateAssistantProviderModel, _Mapping]] = ..., agentkit: _Optional[_Union[CreateAssistantProviderRequest.CreateAssistantProviderAgentkit, _Mapping]] = ..., websocket: _Optional[_Union[CreateAssistantProviderRequest.CreateAssistantProviderWebsocket, _Mapping]] = ...) -> None: ...

class AssistantProviderModel(_message.Message):
    __slots__ = ("id", "template", "description", "assistantId", "modelProviderName", "assistantModelOptions", "status", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    MODELPROVIDERNAME_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTMODELOPTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    template: _shared_pb2.TextChatCompletePrompt
    description: str
    assistantId: int
    modelProviderName: str
    assistantModelOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    status: str
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., template: _Optional[_Union[_shared_pb2.TextChatCompletePrompt, _Mapping]] = ..., description: _Optional[str] = ..., assistantId: _Optional[int] = ..., modelProviderName: _Optional[str] = ..., assistantModelOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., status: _Optional[str] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AssistantProviderAgentkit(_message.Message):
    __slots__ = ("id", "description", "assistantId", "status", "url", "certificate", "metadata", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    description: str
    assistantId: int
    status: str
    url: str
    certificate: str
    metadata: _containers.ScalarMap[str, str]
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., description: _Optional[str] = ..., assistantId: _Optional[int] = ..., status: _Optional[str] = ..., url: _Optional[str] = ..., certificate: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AssistantProviderWebsocket(_message.Message):
    __slots__ = ("id", "description", "assistantId", "url", "headers", "parameters", "status", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    description: str
    assistantId: int
    url: str
    headers: _containers.ScalarMap[str, str]
    parameters: _containers.ScalarMap[str, str]
    status: str
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., description: _Optional[str] = ..., assistantId: _Optional[int] = ..., url: _Optional[str] = ..., headers: _Optional[_Mapping[str, str]] = ..., parameters: _Optional[_Mapping[str, str]] = ..., status: _Optional[str] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetAllAssistantProviderRequest(_message.Message):
    __slots__ = ("paginate", "criterias", "assistantId")
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    assistantId: int
    def __init__(self, paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantProviderResponse(_message.Message):
    __slots__ = ("code", "success", "error", "assistantProviderModel", "assistantProviderAgentkit", "assistantProviderWebsocket")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERMODEL_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERAGENTKIT_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTPROVIDERWEBSOCKET_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    error: _shared_pb2.Error
    assistantProviderModel: AssistantProviderModel
    assistantProviderAgentkit: AssistantProviderAgentkit
    assistantProviderWebsocket: AssistantProviderWebsocket
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., assistantProviderModel: _Optional[_Union[AssistantProviderModel, _Mapping]] = ..., assistantProviderAgentkit: _Optional[_Union[AssistantProviderAgentkit, _Mapping]] = ..., assistantProviderWebsocket: _Optional[_Union[AssistantProviderWebsocket, _Mapping]] = ...) -> None: ...

class GetAllAssistantProviderResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    class AssistantProvider(_message.Message):
        __slots__ = ("assistantProviderModel", "assistantProviderAgentkit", "assistantProviderWebsocket")
        ASSISTANTPROVIDERMODEL_FIELD_NUMBER: _ClassVar[int]
        ASSISTANTPROVIDERAGENTKIT_FIELD_NUMBER: _ClassVar[int]
        ASSISTANTPROVIDERWEBSOCKET_FIELD_NUMBER: _ClassVar[int]
        assistantProviderModel: AssistantProviderModel
        assistantProviderAgentkit: AssistantProviderAgentkit
        assistantProviderWebsocket: AssistantProviderWebsocket
        def __init__(self, assistantProviderModel: _Optional[_Union[AssistantProviderModel, _Mapping]] = ..., assistantProviderAgentkit: _Optional[_Union[AssistantProviderAgentkit, _Mapping]] = ..., assistantProviderWebsocket: _Optional[_Union[AssistantProviderWebsocket, _Mapping]] = ...) -> None: ...
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[GetAllAssistantProviderResponse.AssistantProvider]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[GetAllAssistantProviderResponse.AssistantProvider, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class AssistantTool(_message.Message):
    __slots__ = ("id", "assistantId", "name", "description", "fields", "executionMethod", "executionOptions", "status", "createdDate", "updatedDate")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONMETHOD_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONOPTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    name: str
    description: str
    fields: _struct_pb2.Struct
    executionMethod: str
    executionOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    status: str
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., executionMethod: _Optional[str] = ..., executionOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., status: _Optional[str] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateAssistantToolRequest(_message.Message):
    __slots__ = ("assistantId", "name", "description", "fields", "executionMethod", "executionOptions")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONMETHOD_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONOPTIONS_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    name: str
    description: str
    fields: _struct_pb2.Struct
    executionMethod: str
    executionOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    def __init__(self, assistantId: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., executionMethod: _Optional[str] = ..., executionOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ...) -> None: ...

class UpdateAssistantToolRequest(_message.Message):
    __slots__ = ("id", "assistantId", "name", "description", "fields", "executionMethod", "executionOptions")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONMETHOD_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONOPTIONS_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    name: str
    description: str
    fields: _struct_pb2.Struct
    executionMethod: str
    executionOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., executionMethod: _Optional[str] = ..., executionOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ...) -> None: ...

class GetAssistantToolRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class DeleteAssistantToolRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantToolResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantTool
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantTool, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantToolRequest(_message.Message):
    __slots__ = ("assistantId", "paginate", "criterias")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    def __init__(self, assistantId: _Optional[int] = ..., paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ...) -> None: ...

class GetAllAssistantToolResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantTool]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantTool, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class AssistantToolLog(_message.Message):
    __slots__ = ("id", "action", "request", "response", "status", "createdDate", "updatedDate", "assistantId", "projectId", "organizationId", "assistantConversationId", "assistantConversationMessageId", "assetPrefix", "timeTaken", "assistantToolName", "toolCallId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTCONVERSATIONID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTCONVERSATIONMESSAGEID_FIELD_NUMBER: _ClassVar[int]
    ASSETPREFIX_FIELD_NUMBER: _ClassVar[int]
    TIMETAKEN_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTTOOLNAME_FIELD_NUMBER: _ClassVar[int]
    TOOLCALLID_FIELD_NUMBER: _ClassVar[int]
    id: int
    action: _struct_pb2.Struct
    request: _struct_pb2.Struct
    response: _struct_pb2.Struct
    status: str
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    assistantId: int
    projectId: int
    organizationId: int
    assistantConversationId: int
    assistantConversationMessageId: str
    assetPrefix: str
    timeTaken: int
    assistantToolName: str
    toolCallId: str
    def __init__(self, id: _Optional[int] = ..., action: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., request: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., response: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., status: _Optional[str] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., assistantId: _Optional[int] = ..., projectId: _Optional[int] = ..., organizationId: _Optional[int] = ..., assistantConversationId: _Optional[int] = ..., assistantConversationMessageId: _Optional[str] = ..., assetPrefix: _Optional[str] = ..., timeTaken: _Optional[int] = ..., assistantToolName: _Optional[str] = ..., toolCallId: _Optional[str] = ...) -> None: ...

class GetAssistantToolLogRequest(_message.Message):
    __slots__ = ("projectId", "id")
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    projectId: int
    id: int
    def __init__(self, projectId: _Optional[int] = ..., id: _Optional[int] = ...) -> None: ...

class GetAllAssistantToolLogRequest(_message.Message):
    __slots__ = ("projectId", "paginate", "criterias", "order")
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    projectId: int
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    order: _shared_pb2.Ordering
    def __init__(self, projectId: _Optional[int] = ..., paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ..., order: _Optional[_Union[_shared_pb2.Ordering, _Mapping]] = ...) -> None: ...

class GetAssistantToolLogResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantToolLog
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantToolLog, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantToolLogResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantToolLog]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantToolLog, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class AssistantWebhook(_message.Message):
    __slots__ = ("id", "assistantEvents", "description", "options", "assistantId", "status", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate", "executionPriority", "provider")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTEVENTS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantEvents: _containers.RepeatedScalarFieldContainer[str]
    description: str
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    assistantId: int
    status: str
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    executionPriority: int
    provider: str
    def __init__(self, id: _Optional[int] = ..., assistantEvents: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., assistantId: _Optional[int] = ..., status: _Optional[str] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., executionPriority: _Optional[int] = ..., provider: _Optional[str] = ...) -> None: ...

class CreateAssistantWebhookRequest(_message.Message):
    __slots__ = ("assistantEvents", "description", "options", "assistantId", "executionPriority", "provider")
    ASSISTANTEVENTS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    assistantEvents: _containers.RepeatedScalarFieldContainer[str]
    description: str
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    assistantId: int
    executionPriority: int
    provider: str
    def __init__(self, assistantEvents: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., assistantId: _Optional[int] = ..., executionPriority: _Optional[int] = ..., provider: _Optional[str] = ...) -> None: ...

class UpdateAssistantWebhookRequest(_message.Message):
    __slots__ = ("id", "assistantEvents", "description", "options", "assistantId", "executionPriority", "provider")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTEVENTS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantEvents: _containers.RepeatedScalarFieldContainer[str]
    description: str
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    assistantId: int
    executionPriority: int
    provider: str
    def __init__(self, id: _Optional[int] = ..., assistantEvents: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., assistantId: _Optional[int] = ..., executionPriority: _Optional[int] = ..., provider: _Optional[str] = ...) -> None: ...

class GetAssistantWebhookRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class DeleteAssistantWebhookRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantWebhookResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantWebhook
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantWebhook, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantWebhookRequest(_message.Message):
    __slots__ = ("webhookId", "paginate", "criterias", "assistantId")
    WEBHOOKID_FIELD_NUMBER: _ClassVar[int]
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    webhookId: int
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    assistantId: int
    def __init__(self, webhookId: _Optional[int] = ..., paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAllAssistantWebhookResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantWebhook]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantWebhook, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class AssistantHTTPLog(_message.Message):
    __slots__ = ("id", "sourceRefId", "request", "response", "status", "createdDate", "updatedDate", "assistantId", "projectId", "organizationId", "assistantConversationId", "assetPrefix", "sourceEvent", "responseStatus", "timeTaken", "retryCount", "httpMethod", "httpUrl", "source", "contextId", "errorMessage")
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCEREFID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTCONVERSATIONID_FIELD_NUMBER: _ClassVar[int]
    ASSETPREFIX_FIELD_NUMBER: _ClassVar[int]
    SOURCEEVENT_FIELD_NUMBER: _ClassVar[int]
    RESPONSESTATUS_FIELD_NUMBER: _ClassVar[int]
    TIMETAKEN_FIELD_NUMBER: _ClassVar[int]
    RETRYCOUNT_FIELD_NUMBER: _ClassVar[int]
    HTTPMETHOD_FIELD_NUMBER: _ClassVar[int]
    HTTPURL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTEXTID_FIELD_NUMBER: _ClassVar[int]
    ERRORMESSAGE_FIELD_NUMBER: _ClassVar[int]
    id: int
    sourceRefId: int
    request: _struct_pb2.Struct
    response: _struct_pb2.Struct
    status: str
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    assistantId: int
    projectId: int
    organizationId: int
    assistantConversationId: int
    assetPrefix: str
    sourceEvent: str
    responseStatus: int
    timeTaken: int
    retryCount: int
    httpMethod: str
    httpUrl: str
    source: str
    contextId: str
    errorMessage: str
    def __init__(self, id: _Optional[int] = ..., sourceRefId: _Optional[int] = ..., request: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., response: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., status: _Optional[str] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., assistantId: _Optional[int] = ..., projectId: _Optional[int] = ..., organizationId: _Optional[int] = ..., assistantConversationId: _Optional[int] = ..., assetPrefix: _Optional[str] = ..., sourceEvent: _Optional[str] = ..., responseStatus: _Optional[int] = ..., timeTaken: _Optional[int] = ..., retryCount: _Optional[int] = ..., httpMethod: _Optional[str] = ..., httpUrl: _Optional[str] = ..., source: _Optional[str] = ..., contextId: _Optional[str] = ..., errorMessage: _Optional[str] = ...) -> None: ...

class GetAssistantHTTPLogRequest(_message.Message):
    __slots__ = ("projectId", "id")
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    projectId: int
    id: int
    def __init__(self, projectId: _Optional[int] = ..., id: _Optional[int] = ...) -> None: ...

class GetAllAssistantHTTPLogRequest(_message.Message):
    __slots__ = ("projectId", "paginate", "criterias", "order")
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    projectId: int
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    order: _shared_pb2.Ordering
    def __init__(self, projectId: _Optional[int] = ..., paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ..., order: _Optional[_Union[_shared_pb2.Ordering, _Mapping]] = ...) -> None: ...

class RetryAssistantHTTPLogRequest(_message.Message):
    __slots__ = ("projectId", "id")
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    projectId: int
    id: int
    def __init__(self, projectId: _Optional[int] = ..., id: _Optional[int] = ...) -> None: ...

class GetAssistantHTTPLogResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantHTTPLog
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantHTTPLog, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantHTTPLogResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantHTTPLog]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantHTTPLog, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class AssistantAnalysis(_message.Message):
    __slots__ = ("id", "name", "description", "options", "assistantId", "status", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate", "executionPriority", "provider")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    description: str
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    assistantId: int
    status: str
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    executionPriority: int
    provider: str
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., assistantId: _Optional[int] = ..., status: _Optional[str] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., executionPriority: _Optional[int] = ..., provider: _Optional[str] = ...) -> None: ...

class CreateAssistantAnalysisRequest(_message.Message):
    __slots__ = ("name", "description", "options", "assistantId", "executionPriority", "provider")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    assistantId: int
    executionPriority: int
    provider: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., assistantId: _Optional[int] = ..., executionPriority: _Optional[int] = ..., provider: _Optional[str] = ...) -> None: ...

class UpdateAssistantAnalysisRequest(_message.Message):
    __slots__ = ("id", "name", "description", "options", "assistantId", "executionPriority", "provider")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    EXECUTIONPRIORITY_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    description: str
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    assistantId: int
    executionPriority: int
    provider: str
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., assistantId: _Optional[int] = ..., executionPriority: _Optional[int] = ..., provider: _Optional[str] = ...) -> None: ...

class GetAssistantAnalysisRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class DeleteAssistantAnalysisRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantAnalysisResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantAnalysis
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantAnalysis, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantAnalysisRequest(_message.Message):
    __slots__ = ("assistantId", "paginate", "criterias")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    def __init__(self, assistantId: _Optional[int] = ..., paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ...) -> None: ...

class GetAllAssistantAnalysisResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantAnalysis]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantAnalysis, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class GetAllAssistantTelemetryRequest(_message.Message):
    __slots__ = ("paginate", "criterias", "assistant")
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANT_FIELD_NUMBER: _ClassVar[int]
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    assistant: _shared_pb2.AssistantDefinition
    def __init__(self, paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ..., assistant: _Optional[_Union[_shared_pb2.AssistantDefinition, _Mapping]] = ...) -> None: ...

class GetAllAssistantTelemetryResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[TelemetryRecord]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[TelemetryRecord, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class TelemetryRecord(_message.Message):
    __slots__ = ("event", "metric")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    event: TelemetryEvent
    metric: TelemetryMetric
    def __init__(self, event: _Optional[_Union[TelemetryEvent, _Mapping]] = ..., metric: _Optional[_Union[TelemetryMetric, _Mapping]] = ...) -> None: ...

class TelemetryEvent(_message.Message):
    __slots__ = ("messageId", "assistantId", "assistantConversationId", "projectId", "organizationId", "name", "data", "time")
    class DataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MESSAGEID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTCONVERSATIONID_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    messageId: str
    assistantId: int
    assistantConversationId: int
    projectId: int
    organizationId: int
    name: str
    data: _containers.ScalarMap[str, str]
    time: _timestamp_pb2.Timestamp
    def __init__(self, messageId: _Optional[str] = ..., assistantId: _Optional[int] = ..., assistantConversationId: _Optional[int] = ..., projectId: _Optional[int] = ..., organizationId: _Optional[int] = ..., name: _Optional[str] = ..., data: _Optional[_Mapping[str, str]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TelemetryMetric(_message.Message):
    __slots__ = ("contextId", "assistantId", "assistantConversationId", "projectId", "organizationId", "scope", "metrics", "time")
    CONTEXTID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTCONVERSATIONID_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    contextId: str
    assistantId: int
    assistantConversationId: int
    projectId: int
    organizationId: int
    scope: str
    metrics: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metric]
    time: _timestamp_pb2.Timestamp
    def __init__(self, contextId: _Optional[str] = ..., assistantId: _Optional[int] = ..., assistantConversationId: _Optional[int] = ..., projectId: _Optional[int] = ..., organizationId: _Optional[int] = ..., scope: _Optional[str] = ..., metrics: _Optional[_Iterable[_Union[_shared_pb2.Metric, _Mapping]]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AssistantTelemetryProvider(_message.Message):
    __slots__ = ("id", "assistantId", "projectId", "organizationId", "providerType", "enabled", "options", "createdDate", "updatedDate")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    PROVIDERTYPE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    projectId: int
    organizationId: int
    providerType: str
    enabled: bool
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ..., projectId: _Optional[int] = ..., organizationId: _Optional[int] = ..., providerType: _Optional[str] = ..., enabled: bool = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateAssistantTelemetryProviderRequest(_message.Message):
    __slots__ = ("assistantId", "providerType", "enabled", "options")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PROVIDERTYPE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    providerType: str
    enabled: bool
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    def __init__(self, assistantId: _Optional[int] = ..., providerType: _Optional[str] = ..., enabled: bool = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ...) -> None: ...

class UpdateAssistantTelemetryProviderRequest(_message.Message):
    __slots__ = ("id", "assistantId", "providerType", "enabled", "options")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PROVIDERTYPE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    providerType: str
    enabled: bool
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ..., providerType: _Optional[str] = ..., enabled: bool = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ...) -> None: ...

class DeleteAssistantTelemetryProviderRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantTelemetryProviderRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantTelemetryProviderResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantTelemetryProvider
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantTelemetryProvider, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantTelemetryProviderRequest(_message.Message):
    __slots__ = ("paginate", "criterias", "assistantId")
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    assistantId: int
    def __init__(self, paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAllAssistantTelemetryProviderResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantTelemetryProvider]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantTelemetryProvider, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class AssistantAuthentication(_message.Message):
    __slots__ = ("id", "assistantId", "status", "failBehavior", "timeoutMs", "options", "createdBy", "updatedBy", "createdDate", "updatedDate", "provider")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILBEHAVIOR_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTMS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    status: str
    failBehavior: str
    timeoutMs: int
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    createdBy: int
    updatedBy: int
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    provider: str
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ..., status: _Optional[str] = ..., failBehavior: _Optional[str] = ..., timeoutMs: _Optional[int] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., createdBy: _Optional[int] = ..., updatedBy: _Optional[int] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., provider: _Optional[str] = ...) -> None: ...

class CreateAssistantAuthenticationRequest(_message.Message):
    __slots__ = ("assistantId", "status", "failBehavior", "timeoutMs", "options", "provider")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FAILBEHAVIOR_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTMS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    status: str
    failBehavior: str
    timeoutMs: int
    options: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    provider: str
    def __init__(self, assistantId: _Optional[int] = ..., status: _Optional[str] = ..., failBehavior: _Optional[str] = ..., timeoutMs: _Optional[int] = ..., options: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., provider: _Optional[str] = ...) -> None: ...

class GetAssistantAuthenticationRequest(_message.Message):
    __slots__ = ("assistantId",)
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    def __init__(self, assistantId: _Optional[int] = ...) -> None: ...

class DisableAssistantAuthenticationRequest(_message.Message):
    __slots__ = ("assistantId",)
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    def __init__(self, assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantAuthenticationResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantAuthentication
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantAuthentication, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class AssistantKnowledge(_message.Message):
    __slots__ = ("id", "knowledgeId", "rerankerEnable", "topK", "scoreThreshold", "knowledge", "retrievalMethod", "rerankerModelProviderId", "rerankerModelProviderName", "assistantKnowledgeRerankerOptions", "createdDate", "updatedDate", "status")
    ID_FIELD_NUMBER: _ClassVar[int]
    KNOWLEDGEID_FIELD_NUMBER: _ClassVar[int]
    RERANKERENABLE_FIELD_NUMBER: _ClassVar[int]
    TOPK_FIELD_NUMBER: _ClassVar[int]
    SCORETHRESHOLD_FIELD_NUMBER: _ClassVar[int]
    KNOWLEDGE_FIELD_NUMBER: _ClassVar[int]
    RETRIEVALMETHOD_FIELD_NUMBER: _ClassVar[int]
    RERANKERMODELPROVIDERID_FIELD_NUMBER: _ClassVar[int]
    RERANKERMODELPROVIDERNAME_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTKNOWLEDGERERANKEROPTIONS_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    id: int
    knowledgeId: int
    rerankerEnable: bool
    topK: int
    scoreThreshold: float
    knowledge: Knowledge
    retrievalMethod: str
    rerankerModelProviderId: int
    rerankerModelProviderName: str
    assistantKnowledgeRerankerOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    status: str
    def __init__(self, id: _Optional[int] = ..., knowledgeId: _Optional[int] = ..., rerankerEnable: bool = ..., topK: _Optional[int] = ..., scoreThreshold: _Optional[float] = ..., knowledge: _Optional[_Union[Knowledge, _Mapping]] = ..., retrievalMethod: _Optional[str] = ..., rerankerModelProviderId: _Optional[int] = ..., rerankerModelProviderName: _Optional[str] = ..., assistantKnowledgeRerankerOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[str] = ...) -> None: ...

class CreateAssistantKnowledgeRequest(_message.Message):
    __slots__ = ("knowledgeId", "assistantId", "rerankerModelProviderId", "rerankerModelProviderName", "assistantKnowledgeRerankerOptions", "topK", "scoreThreshold", "retrievalMethod", "rerankerEnable")
    KNOWLEDGEID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    RERANKERMODELPROVIDERID_FIELD_NUMBER: _ClassVar[int]
    RERANKERMODELPROVIDERNAME_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTKNOWLEDGERERANKEROPTIONS_FIELD_NUMBER: _ClassVar[int]
    TOPK_FIELD_NUMBER: _ClassVar[int]
    SCORETHRESHOLD_FIELD_NUMBER: _ClassVar[int]
    RETRIEVALMETHOD_FIELD_NUMBER: _ClassVar[int]
    RERANKERENABLE_FIELD_NUMBER: _ClassVar[int]
    knowledgeId: int
    assistantId: int
    rerankerModelProviderId: int
    rerankerModelProviderName: str
    assistantKnowledgeRerankerOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    topK: int
    scoreThreshold: float
    retrievalMethod: str
    rerankerEnable: bool
    def __init__(self, knowledgeId: _Optional[int] = ..., assistantId: _Optional[int] = ..., rerankerModelProviderId: _Optional[int] = ..., rerankerModelProviderName: _Optional[str] = ..., assistantKnowledgeRerankerOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., topK: _Optional[int] = ..., scoreThreshold: _Optional[float] = ..., retrievalMethod: _Optional[str] = ..., rerankerEnable: bool = ...) -> None: ...

class UpdateAssistantKnowledgeRequest(_message.Message):
    __slots__ = ("id", "knowledgeId", "assistantId", "rerankerModelProviderId", "rerankerModelProviderName", "assistantKnowledgeRerankerOptions", "scoreThreshold", "topK", "retrievalMethod", "rerankerEnable")
    ID_FIELD_NUMBER: _ClassVar[int]
    KNOWLEDGEID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    RERANKERMODELPROVIDERID_FIELD_NUMBER: _ClassVar[int]
    RERANKERMODELPROVIDERNAME_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTKNOWLEDGERERANKEROPTIONS_FIELD_NUMBER: _ClassVar[int]
    SCORETHRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TOPK_FIELD_NUMBER: _ClassVar[int]
    RETRIEVALMETHOD_FIELD_NUMBER: _ClassVar[int]
    RERANKERENABLE_FIELD_NUMBER: _ClassVar[int]
    id: int
    knowledgeId: int
    assistantId: int
    rerankerModelProviderId: int
    rerankerModelProviderName: str
    assistantKnowledgeRerankerOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    scoreThreshold: float
    topK: int
    retrievalMethod: str
    rerankerEnable: bool
    def __init__(self, id: _Optional[int] = ..., knowledgeId: _Optional[int] = ..., assistantId: _Optional[int] = ..., rerankerModelProviderId: _Optional[int] = ..., rerankerModelProviderName: _Optional[str] = ..., assistantKnowledgeRerankerOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., scoreThreshold: _Optional[float] = ..., topK: _Optional[int] = ..., retrievalMethod: _Optional[str] = ..., rerankerEnable: bool = ...) -> None: ...

class GetAssistantKnowledgeRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class DeleteAssistantKnowledgeRequest(_message.Message):
    __slots__ = ("id", "assistantId")
    ID_FIELD_NUMBER: _ClassVar[int]
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    id: int
    assistantId: int
    def __init__(self, id: _Optional[int] = ..., assistantId: _Optional[int] = ...) -> None: ...

class GetAssistantKnowledgeResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: AssistantKnowledge
    error: _shared_pb2.Error
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Union[AssistantKnowledge, _Mapping]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ...) -> None: ...

class GetAllAssistantKnowledgeRequest(_message.Message):
    __slots__ = ("assistantId", "paginate", "criterias")
    ASSISTANTID_FIELD_NUMBER: _ClassVar[int]
    PAGINATE_FIELD_NUMBER: _ClassVar[int]
    CRITERIAS_FIELD_NUMBER: _ClassVar[int]
    assistantId: int
    paginate: _shared_pb2.Paginate
    criterias: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Criteria]
    def __init__(self, assistantId: _Optional[int] = ..., paginate: _Optional[_Union[_shared_pb2.Paginate, _Mapping]] = ..., criterias: _Optional[_Iterable[_Union[_shared_pb2.Criteria, _Mapping]]] = ...) -> None: ...

class GetAllAssistantKnowledgeResponse(_message.Message):
    __slots__ = ("code", "success", "data", "error", "paginated")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    PAGINATED_FIELD_NUMBER: _ClassVar[int]
    code: int
    success: bool
    data: _containers.RepeatedCompositeFieldContainer[AssistantKnowledge]
    error: _shared_pb2.Error
    paginated: _shared_pb2.Paginated
    def __init__(self, code: _Optional[int] = ..., success: bool = ..., data: _Optional[_Iterable[_Union[AssistantKnowledge, _Mapping]]] = ..., error: _Optional[_Union[_shared_pb2.Error, _Mapping]] = ..., paginated: _Optional[_Union[_shared_pb2.Paginated, _Mapping]] = ...) -> None: ...

class Knowledge(_message.Message):
    __slots__ = ("id", "name", "description", "visibility", "language", "embeddingModelProviderId", "embeddingModelProviderName", "knowledgeEmbeddingModelOptions", "status", "createdBy", "createdUser", "updatedBy", "updatedUser", "createdDate", "updatedDate", "organizationId", "projectId", "organization", "knowledgeTag", "documentCount", "tokenCount", "wordCount")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGMODELPROVIDERID_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGMODELPROVIDERNAME_FIELD_NUMBER: _ClassVar[int]
    KNOWLEDGEEMBEDDINGMODELOPTIONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBY_FIELD_NUMBER: _ClassVar[int]
    CREATEDUSER_FIELD_NUMBER: _ClassVar[int]
    UPDATEDBY_FIELD_NUMBER: _ClassVar[int]
    UPDATEDUSER_FIELD_NUMBER: _ClassVar[int]
    CREATEDDATE_FIELD_NUMBER: _ClassVar[int]
    UPDATEDDATE_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATIONID_FIELD_NUMBER: _ClassVar[int]
    PROJECTID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_FIELD_NUMBER: _ClassVar[int]
    KNOWLEDGETAG_FIELD_NUMBER: _ClassVar[int]
    DOCUMENTCOUNT_FIELD_NUMBER: _ClassVar[int]
    TOKENCOUNT_FIELD_NUMBER: _ClassVar[int]
    WORDCOUNT_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    description: str
    visibility: str
    language: str
    embeddingModelProviderId: int
    embeddingModelProviderName: str
    knowledgeEmbeddingModelOptions: _containers.RepeatedCompositeFieldContainer[_shared_pb2.Metadata]
    status: str
    createdBy: int
    createdUser: _shared_pb2.User
    updatedBy: int
    updatedUser: _shared_pb2.User
    createdDate: _timestamp_pb2.Timestamp
    updatedDate: _timestamp_pb2.Timestamp
    organizationId: int
    projectId: int
    organization: _shared_pb2.Organization
    knowledgeTag: _shared_pb2.Tag
    documentCount: int
    tokenCount: int
    wordCount: int
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., visibility: _Optional[str] = ..., language: _Optional[str] = ..., embeddingModelProviderId: _Optional[int] = ..., embeddingModelProviderName: _Optional[str] = ..., knowledgeEmbeddingModelOptions: _Optional[_Iterable[_Union[_shared_pb2.Metadata, _Mapping]]] = ..., status: _Optional[str] = ..., createdBy: _Optional[int] = ..., createdUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., updatedBy: _Optional[int] = ..., updatedUser: _Optional[_Union[_shared_pb2.User, _Mapping]] = ..., createdDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updatedDate: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., organizationId: _Optional[int] = ..., projectId: _Optional[int] = ..., organization: _Optional[_Union[_shared_pb2.Organization, _Mapping]] = ..., knowledgeTag: _Optional[_Union[_shared_pb2.Tag, _Mapping]] = ..., documentCount: _Optional[int] = ..., tokenCount: _Optional[int] = ..., wordCount: _Optional[int] = ...) -> None: ...
