"""The tables of version 1, as one step until 1.0."""

from __future__ import annotations

import hashlib
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bodyworn_chain",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_chain")),
    )
    op.create_table(
        "bodyworn_change",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_change")),
    )
    op.create_table(
        "bodyworn_destination",
        sa.Column("site_name", sa.String(length=64), nullable=False),
        sa.Column("application", sa.String(length=400), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sealed_file", sa.LargeBinary(), nullable=False),
        sa.Column("proxy_address", sa.String(length=300), nullable=True),
        sa.Column("sealed_proxy_sign_in", sa.LargeBinary(), nullable=True),
        sa.Column("confirmed_storage_host", sa.String(length=300), nullable=True),
        sa.Column("connection_id", sa.String(length=100), nullable=False),
        sa.Column("want_encryption", sa.Boolean(), nullable=False),
        sa.Column("public_key_id", sa.String(length=128), nullable=True),
        sa.Column("container_type", sa.String(length=8), nullable=False),
        sa.Column("capabilities", sa.JSON(), nullable=False),
        sa.Column("can_verify", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("limit_bits_per_second", sa.BigInteger(), nullable=True),
        sa.Column("limit_from_minute", sa.BigInteger(), nullable=True),
        sa.Column("limit_until_minute", sa.BigInteger(), nullable=True),
        sa.Column("attempts_wanted", sa.BigInteger(), nullable=False),
        sa.Column("rehearsal", sa.JSON(), nullable=False),
        sa.Column("rehearsed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("categories_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("categories_problem_id", sa.String(length=64), nullable=True),
        sa.Column("categories_problem_values", sa.JSON(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("untried", "okay", "waiting", "stopped", name="destinationstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clock_difference_seconds", sa.Double(), nullable=True),
        sa.Column("bytes_per_second", sa.Double(), nullable=True),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("problem_values", sa.JSON(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_destination")),
    )
    op.create_table(
        "bodyworn_package_fault",
        sa.Column("package", sa.String(length=200), nullable=False),
        sa.Column("hook", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("package", "hook", name=op.f("pk_bodyworn_package_fault")),
    )
    op.create_table(
        "bodyworn_profile",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("default", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_profile")),
        sa.UniqueConstraint("name", name=op.f("uq_bodyworn_profile_name")),
    )
    op.create_table(
        "bodyworn_receiver_account",
        sa.Column("user_name", sa.String(length=64), nullable=False),
        sa.Column("key_sha256", sa.String(length=64), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=True),
        sa.Column("public_key_id", sa.String(length=128), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_receiver_account")),
        sa.UniqueConstraint("user_name", name=op.f("uq_bodyworn_receiver_account_user_name")),
    )
    op.create_table(
        "bodyworn_setup",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_by", sa.String(length=100), nullable=False),
        sa.Column("passed", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("ntp_server", sa.String(length=253), nullable=True),
        sa.Column("power_line_hertz", sa.BigInteger(), nullable=True),
        sa.Column("system_name", sa.String(length=100), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("restored", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_setup")),
    )
    op.create_table(
        "bodyworn_system",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("recovery_public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recovery_encryption_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("system_certificate", sa.LargeBinary(), nullable=False),
        sa.Column("master_key_file", sa.LargeBinary(), nullable=True),
        sa.Column("master_key_downloaded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("ntp_server", sa.String(length=253), nullable=True),
        sa.Column("power_line_hertz", sa.BigInteger(), nullable=False),
        sa.Column("next_shift_hours", sa.BigInteger(), nullable=False),
        sa.Column("parallel_offloads", sa.BigInteger(), nullable=False),
        sa.Column("parallel_uploads", sa.BigInteger(), nullable=False),
        sa.Column("demonstration", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_system")),
    )
    op.create_table(
        "bodyworn_camera_user",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=True),
        sa.Column("profile_id", sa.String(length=36), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pushed", sa.String(length=64), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["bodyworn_profile.id"], name=op.f("fk_bodyworn_camera_user_profile_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_camera_user")),
        sa.UniqueConstraint("user_id", name=op.f("uq_bodyworn_camera_user_user_id")),
    )
    op.create_index(op.f("ix_bodyworn_camera_user_name_id"), "bodyworn_camera_user", ["name", "id"], unique=False)
    op.create_table(
        "bodyworn_checkpoint",
        sa.Column("chain_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["bodyworn_chain.id"], name=op.f("fk_bodyworn_checkpoint_chain_id")),
        sa.PrimaryKeyConstraint("chain_id", "sequence", name=op.f("pk_bodyworn_checkpoint")),
    )
    op.create_table(
        "bodyworn_controller",
        sa.Column("system_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column(
            "role", sa.Enum("first", "extension", name="controllerrole", native_enum=False, length=32), nullable=False
        ),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("order_sequence", sa.BigInteger(), nullable=False),
        sa.Column("usb_guard", sa.Boolean(), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spool_free_bytes", sa.BigInteger(), nullable=True),
        sa.Column("spool_total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("intake_stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["bodyworn_system.id"], name=op.f("fk_bodyworn_controller_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_controller")),
        sa.UniqueConstraint("serial", name=op.f("uq_bodyworn_controller_serial")),
    )
    op.create_table(
        "bodyworn_event",
        sa.Column("chain_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("boot_seconds", sa.Double(), nullable=False),
        sa.Column("boot_id", sa.String(length=36), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_kind", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.String(length=100), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("tool_version", sa.String(length=32), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["chain_id"], ["bodyworn_chain.id"], name=op.f("fk_bodyworn_event_chain_id")),
        sa.PrimaryKeyConstraint("chain_id", "sequence", name=op.f("pk_bodyworn_event")),
        sa.UniqueConstraint("hash", name=op.f("uq_bodyworn_event_hash")),
    )
    op.create_index(op.f("ix_bodyworn_event_actor_at"), "bodyworn_event", ["actor", "at"], unique=False)
    op.create_index(op.f("ix_bodyworn_event_at"), "bodyworn_event", ["at"], unique=False)
    op.create_index(
        op.f("ix_bodyworn_event_object_kind_object_id_at"),
        "bodyworn_event",
        ["object_kind", "object_id", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_bodyworn_event_result_at"),
        "bodyworn_event",
        ["result", "at"],
        unique=False,
        sqlite_where=sa.text("result != 'done'"),
        postgresql_where=sa.text("result != 'done'"),
    )
    op.create_table(
        "bodyworn_received_container",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("wire_metadata", sa.JSON(), nullable=False),
        sa.Column("is_recording", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["bodyworn_receiver_account.id"], name=op.f("fk_bodyworn_received_container_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_received_container")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_bodyworn_received_container_account_id_name")),
    )
    op.create_index(
        op.f("ix_bodyworn_received_container_started_at"), "bodyworn_received_container", ["started_at"], unique=False
    )
    op.create_table(
        "bodyworn_audit",
        sa.Column("controller_id", sa.String(length=36), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_by", sa.String(length=100), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("objects", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("done_objects", sa.BigInteger(), nullable=False),
        sa.Column("done_bytes", sa.BigInteger(), nullable=False),
        sa.Column("records_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("checkpoints", sa.BigInteger(), nullable=False),
        sa.Column("manifests", sa.BigInteger(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["controller_id"], ["bodyworn_controller.id"], name=op.f("fk_bodyworn_audit_controller_id")
        ),
        sa.PrimaryKeyConstraint("controller_id", name=op.f("pk_bodyworn_audit")),
    )
    op.create_table(
        "bodyworn_broken_driver",
        sa.Column("controller_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("package", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["controller_id"], ["bodyworn_controller.id"], name=op.f("fk_bodyworn_broken_driver_controller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_broken_driver")),
    )
    op.create_table(
        "bodyworn_camera",
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=True),
        sa.Column("trust", sa.Enum("attested", "marked", name="trust", native_enum=False, length=32), nullable=False),
        sa.Column("driver", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("manufacturer", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "belonging",
            sa.Enum("new", "added", "removed", name="belonging", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("camera_user_id", sa.String(length=36), nullable=True),
        sa.Column("removal_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_settings", sa.BigInteger(), nullable=False),
        sa.Column("applied_settings", sa.BigInteger(), nullable=True),
        sa.Column("applied_profile_id", sa.String(length=36), nullable=True),
        sa.Column("applied_profile_version", sa.BigInteger(), nullable=True),
        sa.Column("firmware", sa.String(length=64), nullable=False),
        sa.Column("docking_counter", sa.BigInteger(), nullable=False),
        sa.Column("battery_percent", sa.BigInteger(), nullable=True),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.Column("storage_used_bytes", sa.BigInteger(), nullable=True),
        sa.Column("storage_total_bytes", sa.BigInteger(), nullable=True),
        sa.Column("clock_offset_seconds", sa.Double(), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.String(length=44), nullable=True),
        sa.Column("unlock_order", sa.LargeBinary(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("problem_values", sa.JSON(), nullable=True),
        sa.Column("pushed", sa.String(length=64), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["camera_user_id"], ["bodyworn_camera_user.id"], name=op.f("fk_bodyworn_camera_camera_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_camera")),
        sa.UniqueConstraint("public_key", name=op.f("uq_bodyworn_camera_public_key")),
    )
    op.create_index(op.f("ix_bodyworn_camera_name_id"), "bodyworn_camera", ["name", "id"], unique=False)
    op.create_index(op.f("ix_bodyworn_camera_serial"), "bodyworn_camera", ["serial"], unique=False)
    op.create_table(
        "bodyworn_dock",
        sa.Column("controller_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Enum("usb", "simulated", name="dockkind", native_enum=False, length=32), nullable=False),
        sa.Column("locator", sa.String(length=512), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("learning", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["controller_id"], ["bodyworn_controller.id"], name=op.f("fk_bodyworn_dock_controller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_dock")),
    )
    op.create_table(
        "bodyworn_received_object",
        sa.Column("container_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("wire_metadata", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("problem_values", sa.JSON(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["container_id"], ["bodyworn_received_container.id"], name=op.f("fk_bodyworn_received_object_container_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_received_object")),
        sa.UniqueConstraint("container_id", "name", name=op.f("uq_bodyworn_received_object_container_id_name")),
    )
    op.create_index(
        op.f("ix_bodyworn_received_object_checked_at"), "bodyworn_received_object", ["checked_at"], unique=False
    )
    op.create_index(
        op.f("ix_bodyworn_received_object_container_id"), "bodyworn_received_object", ["container_id"], unique=False
    )
    op.create_index(
        op.f("ix_bodyworn_received_object_problem_id"), "bodyworn_received_object", ["problem_id"], unique=False
    )
    op.create_table(
        "bodyworn_usb_device",
        sa.Column("controller_id", sa.String(length=36), nullable=False),
        sa.Column("place", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("foreign_kinds", sa.JSON(), nullable=False),
        sa.Column("could_be_camera", sa.Boolean(), nullable=False),
        sa.Column("has_disk", sa.Boolean(), nullable=False),
        sa.Column("has_medium", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["controller_id"], ["bodyworn_controller.id"], name=op.f("fk_bodyworn_usb_device_controller_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_usb_device")),
        sa.UniqueConstraint("controller_id", "place", name=op.f("uq_bodyworn_usb_device_controller_id_place")),
    )
    op.create_table(
        "bodyworn_assignment",
        sa.Column("camera_id", sa.String(length=36), nullable=False),
        sa.Column("camera_user_id", sa.String(length=36), nullable=True),
        sa.Column("from_settings", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["bodyworn_camera.id"], name=op.f("fk_bodyworn_assignment_camera_id")),
        sa.ForeignKeyConstraint(
            ["camera_user_id"], ["bodyworn_camera_user.id"], name=op.f("fk_bodyworn_assignment_camera_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_assignment")),
    )
    op.create_index(
        op.f("ix_bodyworn_assignment_camera_id_from_settings"),
        "bodyworn_assignment",
        ["camera_id", "from_settings"],
        unique=False,
    )
    op.create_table(
        "bodyworn_bay",
        sa.Column("dock_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "empty",
                "connecting",
                "new",
                "locked",
                "synchronising",
                "offloading",
                "ready",
                "leaving",
                "removed",
                "problem",
                name="baystate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("camera_id", sa.String(length=36), nullable=True),
        sa.Column("docked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_bytes", sa.BigInteger(), nullable=False),
        sa.Column("done_bytes", sa.BigInteger(), nullable=False),
        sa.Column("bytes_per_second", sa.Double(), nullable=True),
        sa.Column("progress_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("turn_in_seconds", sa.Double(), nullable=True),
        sa.Column("ready_in_seconds", sa.Double(), nullable=True),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("problem_values", sa.JSON(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["bodyworn_camera.id"], name=op.f("fk_bodyworn_bay_camera_id")),
        sa.ForeignKeyConstraint(["dock_id"], ["bodyworn_dock.id"], name=op.f("fk_bodyworn_bay_dock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_bay")),
        sa.UniqueConstraint("dock_id", "position", name=op.f("uq_bodyworn_bay_dock_id_position")),
    )
    op.create_table(
        "bodyworn_recording",
        sa.Column("camera_id", sa.String(length=36), nullable=False),
        sa.Column("camera_recording_id", sa.String(length=64), nullable=False),
        sa.Column("controller_id", sa.String(length=36), nullable=False),
        sa.Column("camera_user_id", sa.String(length=36), nullable=True),
        sa.Column("destination_id", sa.String(length=36), nullable=True),
        sa.Column("container_name", sa.String(length=200), nullable=False),
        sa.Column("clock_offset_seconds", sa.Double(), nullable=True),
        sa.Column("shifted_seconds", sa.BigInteger(), nullable=False),
        sa.Column("rejected_container", sa.String(length=200), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "found",
                "stored",
                "delivered",
                "refused",
                "quarantined",
                name="recordingstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stop_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger_on_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger_off_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("settings_sequence", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("manifest", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("problem_values", sa.JSON(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["bodyworn_camera.id"], name=op.f("fk_bodyworn_recording_camera_id")),
        sa.ForeignKeyConstraint(
            ["camera_user_id"], ["bodyworn_camera_user.id"], name=op.f("fk_bodyworn_recording_camera_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["controller_id"], ["bodyworn_controller.id"], name=op.f("fk_bodyworn_recording_controller_id")
        ),
        sa.ForeignKeyConstraint(
            ["destination_id"], ["bodyworn_destination.id"], name=op.f("fk_bodyworn_recording_destination_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_recording")),
        sa.UniqueConstraint(
            "camera_id", "camera_recording_id", name=op.f("uq_bodyworn_recording_camera_id_camera_recording_id")
        ),
        sa.UniqueConstraint("container_name", name=op.f("uq_bodyworn_recording_container_name")),
        sa.UniqueConstraint("rejected_container", name=op.f("uq_bodyworn_recording_rejected_container")),
    )
    op.create_index(
        op.f("ix_bodyworn_recording_camera_id_start_at_id"),
        "bodyworn_recording",
        ["camera_id", "start_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_bodyworn_recording_camera_user_id_start_at_id"),
        "bodyworn_recording",
        ["camera_user_id", "start_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_bodyworn_recording_found_at_state"), "bodyworn_recording", ["found_at", "state"], unique=False
    )
    op.create_index(
        op.f("ix_bodyworn_recording_problem_id"),
        "bodyworn_recording",
        ["problem_id"],
        unique=False,
        sqlite_where=sa.text("problem_id IS NOT NULL"),
        postgresql_where=sa.text("problem_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_bodyworn_recording_start_at_id"), "bodyworn_recording", ["start_at", "id"], unique=False)
    op.create_index(
        op.f("ix_bodyworn_recording_state_protected_start_at"),
        "bodyworn_recording",
        ["state", "protected", "start_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_bodyworn_recording_state_start_at_id"), "bodyworn_recording", ["state", "start_at", "id"], unique=False
    )
    op.create_table(
        "bodyworn_clip",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("clip", "track", "bookmark", "attachment", "key", name="clipkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("source_name", sa.String(length=1000), nullable=True),
        sa.Column("unlocks_id", sa.String(length=36), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stop_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("stored_size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("stored_sha256", sa.String(length=64), nullable=True),
        sa.Column("stored_md5", sa.String(length=32), nullable=True),
        sa.Column("encrypted", sa.Boolean(), nullable=False),
        sa.Column("stored_name", sa.String(length=255), nullable=True),
        sa.Column("wire_metadata", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["bodyworn_recording.id"], name=op.f("fk_bodyworn_clip_recording_id")
        ),
        sa.ForeignKeyConstraint(["unlocks_id"], ["bodyworn_clip.id"], name=op.f("fk_bodyworn_clip_unlocks_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_clip")),
        sa.UniqueConstraint("recording_id", "name", name=op.f("uq_bodyworn_clip_recording_id_name")),
    )
    op.create_index(op.f("ix_bodyworn_clip_recording_id"), "bodyworn_clip", ["recording_id"], unique=False)
    op.create_table(
        "bodyworn_copy",
        sa.Column("clip_id", sa.String(length=36), nullable=False),
        sa.Column(
            "place",
            sa.Enum("camera", "spool", "destination", name="place", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "kept",
                "writing",
                "verified",
                "acknowledged",
                "erased",
                "problem",
                name="copystate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("failure_domain", sa.String(length=100), nullable=False),
        sa.Column("done_bytes", sa.BigInteger(), nullable=False),
        sa.Column("proved_sha256", sa.String(length=64), nullable=True),
        sa.Column("proved_md5", sa.String(length=32), nullable=True),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem_id", sa.String(length=64), nullable=True),
        sa.Column("problem_values", sa.JSON(), nullable=True),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["bodyworn_clip.id"], name=op.f("fk_bodyworn_copy_clip_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodyworn_copy")),
        sa.UniqueConstraint("clip_id", "place", name=op.f("uq_bodyworn_copy_clip_id_place")),
    )
    op.create_index(op.f("ix_bodyworn_copy_clip_id"), "bodyworn_copy", ["clip_id"], unique=False)
    op.create_index(
        op.f("ix_bodyworn_copy_place_state_checked_at"), "bodyworn_copy", ["place", "state", "checked_at"], unique=False
    )
    op.execute(sa.text("INSERT INTO bodyworn_change (id, counter) VALUES (1, 0)"))
    chain = sa.table("bodyworn_chain", sa.column("id"), sa.column("local"), sa.column("sequence"), sa.column("hash"))
    op.execute(
        chain.insert().values(
            id=str(uuid.uuid4()), local=True, sequence=0, hash=hashlib.sha256(b"bodyworn-event-v1").hexdigest()
        )
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_bodyworn_copy_place_state_checked_at"), table_name="bodyworn_copy")
    op.drop_index(op.f("ix_bodyworn_copy_clip_id"), table_name="bodyworn_copy")
    op.drop_table("bodyworn_copy")
    op.drop_index(op.f("ix_bodyworn_clip_recording_id"), table_name="bodyworn_clip")
    op.drop_table("bodyworn_clip")
    op.drop_index(op.f("ix_bodyworn_recording_state_start_at_id"), table_name="bodyworn_recording")
    op.drop_index(op.f("ix_bodyworn_recording_state_protected_start_at"), table_name="bodyworn_recording")
    op.drop_index(op.f("ix_bodyworn_recording_start_at_id"), table_name="bodyworn_recording")
    op.drop_index(
        op.f("ix_bodyworn_recording_problem_id"),
        table_name="bodyworn_recording",
        sqlite_where=sa.text("problem_id IS NOT NULL"),
        postgresql_where=sa.text("problem_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_bodyworn_recording_found_at_state"), table_name="bodyworn_recording")
    op.drop_index(op.f("ix_bodyworn_recording_camera_user_id_start_at_id"), table_name="bodyworn_recording")
    op.drop_index(op.f("ix_bodyworn_recording_camera_id_start_at_id"), table_name="bodyworn_recording")
    op.drop_table("bodyworn_recording")
    op.drop_table("bodyworn_bay")
    op.drop_index(op.f("ix_bodyworn_assignment_camera_id_from_settings"), table_name="bodyworn_assignment")
    op.drop_table("bodyworn_assignment")
    op.drop_table("bodyworn_usb_device")
    op.drop_index(op.f("ix_bodyworn_received_object_problem_id"), table_name="bodyworn_received_object")
    op.drop_index(op.f("ix_bodyworn_received_object_container_id"), table_name="bodyworn_received_object")
    op.drop_index(op.f("ix_bodyworn_received_object_checked_at"), table_name="bodyworn_received_object")
    op.drop_table("bodyworn_received_object")
    op.drop_table("bodyworn_dock")
    op.drop_index(op.f("ix_bodyworn_camera_serial"), table_name="bodyworn_camera")
    op.drop_index(op.f("ix_bodyworn_camera_name_id"), table_name="bodyworn_camera")
    op.drop_table("bodyworn_camera")
    op.drop_table("bodyworn_broken_driver")
    op.drop_table("bodyworn_audit")
    op.drop_index(op.f("ix_bodyworn_received_container_started_at"), table_name="bodyworn_received_container")
    op.drop_table("bodyworn_received_container")
    op.drop_index(
        op.f("ix_bodyworn_event_result_at"),
        table_name="bodyworn_event",
        sqlite_where=sa.text("result != 'done'"),
        postgresql_where=sa.text("result != 'done'"),
    )
    op.drop_index(op.f("ix_bodyworn_event_object_kind_object_id_at"), table_name="bodyworn_event")
    op.drop_index(op.f("ix_bodyworn_event_at"), table_name="bodyworn_event")
    op.drop_index(op.f("ix_bodyworn_event_actor_at"), table_name="bodyworn_event")
    op.drop_table("bodyworn_event")
    op.drop_table("bodyworn_controller")
    op.drop_table("bodyworn_checkpoint")
    op.drop_index(op.f("ix_bodyworn_camera_user_name_id"), table_name="bodyworn_camera_user")
    op.drop_table("bodyworn_camera_user")
    op.drop_table("bodyworn_system")
    op.drop_table("bodyworn_setup")
    op.drop_table("bodyworn_receiver_account")
    op.drop_table("bodyworn_profile")
    op.drop_table("bodyworn_package_fault")
    op.drop_table("bodyworn_destination")
    op.drop_table("bodyworn_change")
    op.drop_table("bodyworn_chain")
