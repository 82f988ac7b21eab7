//! Users, members of projects, tokens, and what all of them did.

use crate::{
    model::{AuditPage, Invited, Issued, Member, TokenRow, UserRow},
    server::api::{
        audit, members,
        openapi::{Operation, bodies, delete, get, group, patch, post, put},
        tokens, users,
    },
};

pub fn users() -> Vec<Operation> {
    group(
        "Users",
        vec![
            get("/api/users", "All users", users::list).ok::<Vec<UserRow>>("The rows."),
            post("/api/users", "Invite a user", users::create)
                .says("The answer holds a link, told this once, with which they choose a password.")
                .body::<bodies::NewUser>()
                .created::<Invited>("They are invited.")
                .errors(&[400, 409]),
            patch("/api/users/{id}", "Change a user", users::edit)
                .says("What is absent stays. The last administrator who can sign in stays one.")
                .body::<bodies::EditUser>()
                .ok::<UserRow>("The row as it is now.")
                .errors(&[400, 404, 409]),
            post("/api/users/{id}/invite", "Invite a user again", users::invite_again)
                .says("Their password and their sessions end; the answer holds a new link.")
                .created::<Invited>("They are invited.")
                .errors(&[404, 409]),
            delete("/api/users/{id}", "Delete a user", users::delete)
                .no_content("They are gone, with their memberships and tokens.")
                .errors(&[404, 409]),
            post("/api/account/password", "Change one's own password", users::change_password)
                .says("Takes a session: a token cannot. Other sessions end.")
                .body::<bodies::NewPassword>()
                .no_content("It is changed.")
                .errors(&[400, 401, 403, 429]),
        ],
    )
}

pub fn members() -> Vec<Operation> {
    group(
        "Members",
        vec![
            get("/api/projects/{id}/members", "The members of a project", members::list)
                .ok::<Vec<Member>>("The rows.")
                .errors(&[404]),
            post("/api/projects/{id}/members", "Add a member", members::add)
                .body::<bodies::NewMember>()
                .ok::<Member>("They are a member.")
                .errors(&[400, 404, 409]),
            put("/api/projects/{id}/members/{user_id}", "Give a member a role", members::put)
                .body::<bodies::MemberRole>()
                .ok::<Member>("They have it.")
                .errors(&[400, 404, 409]),
            delete("/api/projects/{id}/members/{user_id}", "Remove a member", members::remove)
                .no_content("They are no member any more, and see nothing of the project.")
                .errors(&[404]),
        ],
    )
}

pub fn tokens() -> Vec<Operation> {
    group(
        "Tokens",
        vec![
            get("/api/tokens", "One's own tokens", tokens::list)
                .says("Administrators see all of them.")
                .ok::<Vec<TokenRow>>("The rows, without secrets."),
            post("/api/tokens", "Make a token", tokens::create)
                .says("The answer holds its secret, told this once: it goes behind `Authorization: Bearer`.")
                .body::<bodies::NewToken>()
                .created::<Issued>("It is there.")
                .errors(&[400, 403, 409]),
            delete("/api/tokens/{id}", "Revoke a token", tokens::revoke)
                .ok::<TokenRow>("It lets nobody in any more, and its streams end.")
                .errors(&[404]),
        ],
    )
}

pub fn audit() -> Vec<Operation> {
    group(
        "Audit log",
        vec![
            get("/api/audit", "Who did what", audit::list)
                .says(
                    "The newest first; also what was refused. What became of the fleet is in the event log.",
                )
                .query::<bodies::Count>("cursor", "The `next` of the page before.")
                .query::<bodies::AuditLimit>("limit", "Lines of one page; 100 where it is absent.")
                .ok::<AuditPage>("A page.")
                .errors(&[400]),
        ],
    )
}
