"""The one tree of errors: a stable id, a sentence for the operator, what to do, and whether trying again can help.

Foreign errors are translated into these once, at the edge where they appear. Pages show :attr:`BodywornError.sentence`
and :attr:`BodywornError.mend` in the operator's language; the database keeps ``id`` and ``values`` alone, so a problem
that was recorded yesterday is shown in whatever language is spoken today. Each room has a module here.
"""

from __future__ import annotations

from .base import (
    BodywornError as BodywornError,
)
from .base import (
    describe as describe,
)
from .base import (
    every_error as every_error,
)
from .camera_volume import (
    CameraFileMissing as CameraFileMissing,
)
from .camera_volume import (
    CameraFileRefused as CameraFileRefused,
)
from .camera_volume import (
    CameraGone as CameraGone,
)
from .camera_volume import (
    CameraListingTooLong as CameraListingTooLong,
)
from .camera_volume import (
    CameraNameRefused as CameraNameRefused,
)
from .camera_volume import (
    CameraUnreadable as CameraUnreadable,
)
from .camera_volume import (
    CameraVolumeError as CameraVolumeError,
)
from .camera_volume import (
    DocumentRefused as DocumentRefused,
)
from .camera_volume import (
    KernelTooOld as KernelTooOld,
)
from .camera_volume import (
    PortUnusable as PortUnusable,
)
from .camera_volume import (
    TurnTimedOut as TurnTimedOut,
)
from .camera_volume import (
    UnitAbsent as UnitAbsent,
)
from .connection_file import (
    ConnectionAddressRefused as ConnectionAddressRefused,
)
from .connection_file import (
    ConnectionCertificateMissing as ConnectionCertificateMissing,
)
from .connection_file import (
    ConnectionCertificateUnreadable as ConnectionCertificateUnreadable,
)
from .connection_file import (
    ConnectionFieldHasControlCharacters as ConnectionFieldHasControlCharacters,
)
from .connection_file import (
    ConnectionFieldMissing as ConnectionFieldMissing,
)
from .connection_file import (
    ConnectionFieldNotAChoice as ConnectionFieldNotAChoice,
)
from .connection_file import (
    ConnectionFieldNotBase64 as ConnectionFieldNotBase64,
)
from .connection_file import (
    ConnectionFieldOfWrongType as ConnectionFieldOfWrongType,
)
from .connection_file import (
    ConnectionFieldTooLong as ConnectionFieldTooLong,
)
from .connection_file import (
    ConnectionFileNotJson as ConnectionFileNotJson,
)
from .connection_file import (
    ConnectionFileRefused as ConnectionFileRefused,
)
from .connection_file import (
    ConnectionFileTooLarge as ConnectionFileTooLarge,
)
from .connection_file import (
    ConnectionFileVersionUnknown as ConnectionFileVersionUnknown,
)
from .connection_file import (
    ConnectionKeyMissing as ConnectionKeyMissing,
)
from .connection_file import (
    ConnectionKeyTooShort as ConnectionKeyTooShort,
)
from .connection_file import (
    ConnectionKeyUnreadable as ConnectionKeyUnreadable,
)
from .connection_file import (
    ConnectionKeyWeak as ConnectionKeyWeak,
)
from .connection_file import (
    ConnectionListTooLong as ConnectionListTooLong,
)
from .connection_file import (
    ConnectionMixesHttp as ConnectionMixesHttp,
)
from .connection_file import (
    ConnectionUnprotected as ConnectionUnprotected,
)
from .connection_file import (
    ContainerTypeChanged as ContainerTypeChanged,
)
from .connection_file import (
    EncryptionTurnedOff as EncryptionTurnedOff,
)
from .connection_file import (
    FullStoreTurnedOff as FullStoreTurnedOff,
)
from .controller import (
    CameraBelongsElsewhere as CameraBelongsElsewhere,
)
from .controller import (
    CameraInterrupted as CameraInterrupted,
)
from .controller import (
    CameraLocked as CameraLocked,
)
from .controller import (
    CameraNotGenuine as CameraNotGenuine,
)
from .controller import (
    CameraOwnedElsewhere as CameraOwnedElsewhere,
)
from .controller import (
    CameraReadFailed as CameraReadFailed,
)
from .controller import (
    CameraRefused as CameraRefused,
)
from .controller import (
    ClipDiffers as ClipDiffers,
)
from .controller import (
    ControllerRunning as ControllerRunning,
)
from .controller import (
    CopyUnproved as CopyUnproved,
)
from .controller import (
    EjectFailed as EjectFailed,
)
from .controller import (
    FilesystemNotAllowed as FilesystemNotAllowed,
)
from .controller import (
    MountFailed as MountFailed,
)
from .controller import (
    NeverADisk as NeverADisk,
)
from .controller import (
    NoUdevEvents as NoUdevEvents,
)
from .controller import (
    PlaceTaken as PlaceTaken,
)
from .controller import (
    ReceiverNotStarted as ReceiverNotStarted,
)
from .controller import (
    RecordingVanished as RecordingVanished,
)
from .controller import (
    SerialTaken as SerialTaken,
)
from .controller import (
    SpoolDamaged as SpoolDamaged,
)
from .controller import (
    StorageLow as StorageLow,
)
from .controller import (
    UnknownDock as UnknownDock,
)
from .controller import (
    UsbDeviceRefused as UsbDeviceRefused,
)
from .crypto import (
    AuthorityExpired as AuthorityExpired,
)
from .crypto import (
    AuthorityOfOlderEpoch as AuthorityOfOlderEpoch,
)
from .crypto import (
    AuthorityOfOtherSystem as AuthorityOfOtherSystem,
)
from .crypto import (
    AuthorityRefused as AuthorityRefused,
)
from .crypto import (
    ContentDamaged as ContentDamaged,
)
from .crypto import (
    DestinationKeyRefused as DestinationKeyRefused,
)
from .crypto import (
    EnvelopeMalformed as EnvelopeMalformed,
)
from .crypto import (
    EnvelopeOfOtherType as EnvelopeOfOtherType,
)
from .crypto import (
    EnvelopeRefused as EnvelopeRefused,
)
from .crypto import (
    EnvelopeTooLarge as EnvelopeTooLarge,
)
from .crypto import (
    KeyObjectRefused as KeyObjectRefused,
)
from .crypto import (
    KeyRefused as KeyRefused,
)
from .crypto import (
    MasterKeyRefused as MasterKeyRefused,
)
from .crypto import (
    PassphraseTooWeak as PassphraseTooWeak,
)
from .crypto import (
    RightMissing as RightMissing,
)
from .crypto import (
    SealBroken as SealBroken,
)
from .crypto import (
    SealKeyUnsafe as SealKeyUnsafe,
)
from .crypto import (
    SignatureRefused as SignatureRefused,
)
from .crypto import (
    WrongPassphrase as WrongPassphrase,
)
from .database import (
    DatabaseOutdated as DatabaseOutdated,
)
from .database import (
    DatabaseUnsafe as DatabaseUnsafe,
)
from .destination import (
    AuthorizationFailed as AuthorizationFailed,
)
from .destination import (
    BodyChanged as BodyChanged,
)
from .destination import (
    Busy as Busy,
)
from .destination import (
    CategoriesMalformed as CategoriesMalformed,
)
from .destination import (
    CertificateRefused as CertificateRefused,
)
from .destination import (
    ClockDiffers as ClockDiffers,
)
from .destination import (
    DestinationFailed as DestinationFailed,
)
from .destination import (
    DestinationFull as DestinationFull,
)
from .destination import (
    DestinationHungUp as DestinationHungUp,
)
from .destination import (
    DestinationNameRefused as DestinationNameRefused,
)
from .destination import (
    DestinationNameUnknown as DestinationNameUnknown,
)
from .destination import (
    DestinationProblem as DestinationProblem,
)
from .destination import (
    DestinationRefusesConnection as DestinationRefusesConnection,
)
from .destination import (
    DestinationTooSlow as DestinationTooSlow,
)
from .destination import (
    DestinationUnreachable as DestinationUnreachable,
)
from .destination import (
    DifferentAtDestination as DifferentAtDestination,
)
from .destination import (
    EtagDiffers as EtagDiffers,
)
from .destination import (
    Forbidden as Forbidden,
)
from .destination import (
    LicenceMissing as LicenceMissing,
)
from .destination import (
    MissingContainer as MissingContainer,
)
from .destination import (
    MissingObject as MissingObject,
)
from .destination import (
    NonsenseAnswer as NonsenseAnswer,
)
from .destination import (
    RedirectRefused as RedirectRefused,
)
from .destination import (
    Rejected as Rejected,
)
from .destination import (
    StorageHostUnconfirmed as StorageHostUnconfirmed,
)
from .destination import (
    StorageUrlRefused as StorageUrlRefused,
)
from .destination import (
    TlsFailed as TlsFailed,
)
from .destination import (
    TooLarge as TooLarge,
)
from .drivers import (
    CameraFileImpossible as CameraFileImpossible,
)
from .drivers import (
    CameraFolderUnread as CameraFolderUnread,
)
from .drivers import (
    DiskChanged as DiskChanged,
)
from .drivers import (
    DiskNotAllStored as DiskNotAllStored,
)
from .drivers import (
    DiskWithoutIdentity as DiskWithoutIdentity,
)
from .drivers import (
    DriverBroken as DriverBroken,
)
from .drivers import (
    VolumeMissing as VolumeMissing,
)
from .evidence import (
    CameraWordDiffers as CameraWordDiffers,
)
from .evidence import (
    CameraWordRefused as CameraWordRefused,
)
from .evidence import (
    ChainGone as ChainGone,
)
from .evidence import (
    ChainRewritten as ChainRewritten,
)
from .evidence import (
    ChainTruncated as ChainTruncated,
)
from .evidence import (
    CheckpointRefused as CheckpointRefused,
)
from .evidence import (
    CopyChanged as CopyChanged,
)
from .evidence import (
    CopyMissing as CopyMissing,
)
from .evidence import (
    CopyUnreadable as CopyUnreadable,
)
from .evidence import (
    CopyWithoutPartner as CopyWithoutPartner,
)
from .evidence import (
    EventChanged as EventChanged,
)
from .evidence import (
    EventMissing as EventMissing,
)
from .evidence import (
    EvidenceFinding as EvidenceFinding,
)
from .evidence import (
    ExportRefused as ExportRefused,
)
from .evidence import (
    KeyOtherwise as KeyOtherwise,
)
from .evidence import (
    ManifestDiffers as ManifestDiffers,
)
from .evidence import (
    ManifestMissing as ManifestMissing,
)
from .evidence import (
    ManifestUnsigned as ManifestUnsigned,
)
from .evidence import (
    ObjectUnexpected as ObjectUnexpected,
)
from .evidence import (
    RecordingDamaged as RecordingDamaged,
)
from .evidence import (
    RecordingKeyLost as RecordingKeyLost,
)
from .evidence import (
    RecordingToTakeAgain as RecordingToTakeAgain,
)
from .evidence import (
    SpoolAbsent as SpoolAbsent,
)
from .host import (
    Incompatible as Incompatible,
)
from .host import (
    NotReady as NotReady,
)
from .host import (
    SetupFailed as SetupFailed,
)
from .receiver import (
    AddressMissing as AddressMissing,
)
from .receiver import (
    ContainerMissing as ContainerMissing,
)
from .receiver import (
    DeleteRefused as DeleteRefused,
)
from .receiver import (
    MetadataTooLarge as MetadataTooLarge,
)
from .receiver import (
    NoStill as NoStill,
)
from .receiver import (
    ObjectExists as ObjectExists,
)
from .receiver import (
    ObjectMissing as ObjectMissing,
)
from .receiver import (
    ObjectTooLargeToShow as ObjectTooLargeToShow,
)
from .receiver import (
    OtherAccount as OtherAccount,
)
from .receiver import (
    OverwriteRefused as OverwriteRefused,
)
from .receiver import (
    ReceivedRecordingUnknown as ReceivedRecordingUnknown,
)
from .receiver import (
    ReceiverBusy as ReceiverBusy,
)
from .receiver import (
    ReceiverProblem as ReceiverProblem,
)
from .receiver import (
    RecordingClosed as RecordingClosed,
)
from .receiver import (
    RecordingWithoutUser as RecordingWithoutUser,
)
from .receiver import (
    SignInRefused as SignInRefused,
)
from .receiver import (
    StillsBusy as StillsBusy,
)
from .receiver import (
    StillsMissing as StillsMissing,
)
from .receiver import (
    TrackUnreadable as TrackUnreadable,
)
from .receiver import (
    UploadByReference as UploadByReference,
)
from .receiver import (
    UploadCut as UploadCut,
)
from .receiver import (
    UploadDiffers as UploadDiffers,
)
from .receiver import (
    UploadLengthMissing as UploadLengthMissing,
)
from .receiver import (
    UploadTooLarge as UploadTooLarge,
)
from .services import (
    AlreadyFounded as AlreadyFounded,
)
from .services import (
    ConnectionFileMissing as ConnectionFileMissing,
)
from .services import (
    NoSystem as NoSystem,
)
from .services import (
    OwnCertificateUnknown as OwnCertificateUnknown,
)
from .services import (
    UnknownCamera as UnknownCamera,
)
from .services import (
    UnknownCameraUser as UnknownCameraUser,
)
from .services import (
    UnknownRecording as UnknownRecording,
)
from .services import (
    UserIdTaken as UserIdTaken,
)
from .simulator import (
    AlreadyDocked as AlreadyDocked,
)
from .simulator import (
    CameraFull as CameraFull,
)
from .simulator import (
    CameraNotReady as CameraNotReady,
)
from .simulator import (
    ClipTooSmall as ClipTooSmall,
)
from .simulator import (
    MediaLibraryMissing as MediaLibraryMissing,
)
from .simulator import (
    OutOfTurn as OutOfTurn,
)
from .simulator import (
    SimulatedVolumeFailed as SimulatedVolumeFailed,
)
from .simulator import (
    SimulatorError as SimulatorError,
)
from .store import (
    DifferentContent as DifferentContent,
)
from .store import (
    NameRefused as NameRefused,
)
from .store import (
    NoSuchObject as NoSuchObject,
)
from .store import (
    NotAnObject as NotAnObject,
)
from .store import (
    RereadDiffers as RereadDiffers,
)
from .store import (
    StoreDamaged as StoreDamaged,
)
from .store import (
    StoreError as StoreError,
)
from .store import (
    StoreFull as StoreFull,
)
from .store import (
    StoreNotWritable as StoreNotWritable,
)
